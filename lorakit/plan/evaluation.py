"""How much is measured at once: a training does it, and its plan counts the memory."""

from __future__ import annotations

TEXTS = 64  # in a batch of evaluation
TIMESTEPS = 8  # at which a picture's loss is measured, all in one batch
