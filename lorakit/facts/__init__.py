"""What a plan needs to know of the world outside its documents. Effects, but torch-free."""
