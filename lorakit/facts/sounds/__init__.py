"""Sounds of the user's own: what each is."""
