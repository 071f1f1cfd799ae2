"""Weights from the studio, a hub, a folder or one file; adapters put on them. Torch lives here."""
