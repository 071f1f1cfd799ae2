"""Models that draw pictures, as a plan sees them."""
