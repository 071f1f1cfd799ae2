"""Revisions of documents: git's objects read in place, no working tree touched, no program started."""
