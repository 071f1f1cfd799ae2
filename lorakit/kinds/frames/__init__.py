"""Frames: what a step draws with, the action that draws one, and what can be wrong with it."""
