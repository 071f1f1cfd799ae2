"""lorakit: declarative recipes and storyboards for LoRA training and film-making with diffusion models.

    import lorakit

    session = lorakit.load("recipe.yaml")
    print(session.plan().estimate)
    session.run()

Errors: LorakitError <- InvalidDocument (carries diagnostics with places).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"
__all__ = ["InvalidDocument", "LorakitError", "Session", "__version__", "load"]

if TYPE_CHECKING:
    from lorakit.diagnostics import InvalidDocument, LorakitError
    from lorakit.session import Session, load

_HOMES = {
    "InvalidDocument": "lorakit.diagnostics",
    "LorakitError": "lorakit.diagnostics",
    "Session": "lorakit.session",
    "load": "lorakit.session",
}


def __getattr__(name: str) -> object:
    """Import the public names when they are first used: `lorakit --help` must not wait for them."""
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'lorakit' has no attribute '{name}'")
