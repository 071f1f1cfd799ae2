"""What data sets of texts and of pictures share."""
