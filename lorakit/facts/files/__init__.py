"""Files of this machine: their digests and headers, and where a user's folders are."""
