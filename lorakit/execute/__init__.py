"""Doing what a plan says: workers, the runner, and the events that tell of it."""
