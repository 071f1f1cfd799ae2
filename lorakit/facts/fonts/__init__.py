"""Which font draws which characters."""
