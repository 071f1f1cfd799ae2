"""The terminal: draws plans and events, computes nothing about them."""
