"""Labelled texts to train on, and the models that read them."""
