"""The layers, parameters and memory of networks, from their configurations."""
