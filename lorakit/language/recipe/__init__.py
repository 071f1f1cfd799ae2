"""Recipes: steps, models, data sets, adapters, sweeps, and what is laid over them."""
