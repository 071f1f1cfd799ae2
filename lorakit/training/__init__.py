"""Training: one loop for texts and pictures, its data, checkpoints and figures. Torch lives here."""
