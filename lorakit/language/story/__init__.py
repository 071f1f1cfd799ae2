"""Storyboards: sentences, who is mentioned in them, and what the model is told."""
