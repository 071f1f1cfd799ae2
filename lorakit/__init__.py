"""lorakit: declarative recipes and storyboards for LoRA training and film-making with diffusion models.

    import lorakit

    session = lorakit.load("recipe.yaml")
    print(session.plan().estimate)
    session.run()

Errors: LorakitError <- InvalidDocument (carries diagnostics with places).
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal.py could be another's
import os
import sys


def _start_as_command() -> None:
    """Where this program is the command: import nothing from the folder that it is called in.

    `python -m` puts that folder first among the places of modules, a stray colon in PYTHONPATH somewhere.
    """
    if sys.argv[:1] == ["-m"] and not sys.flags.safe_path:
        del sys.path[0]
    elif not sys.argv or sys.argv[0].replace("\\", "/").rpartition("/")[2] not in (
        "lorakit",
        "lorakit.exe",
    ):
        return
    # until the command can answer a Ctrl-C in words, it ends us without any
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    named = os.environ.get("PYTHONPATH", "")
    if named and not all(map(os.path.isabs, named.split(os.pathsep))):
        try:
            here = os.getcwd()  # noqa: PTH109 - nothing is to be imported yet
        except OSError:  # a folder that is gone holds nothing either
            return
        sys.path[:] = [place for place in sys.path if place not in ("", here)]


_start_as_command()

from typing import TYPE_CHECKING  # noqa: E402 - only now is it sure to be Python's own

__version__ = "0.1.0"
__all__ = [
    "Event",
    "InvalidDocument",
    "LorakitError",
    "Plan",
    "RunFinished",
    "Selection",
    "Session",
    "Workers",
    "__version__",
    "load",
]

if TYPE_CHECKING:
    from lorakit.diagnostics import InvalidDocument, LorakitError
    from lorakit.execute.events import Event, RunFinished
    from lorakit.execute.pool import Workers
    from lorakit.plan.selection import Selection
    from lorakit.plan.states import Plan
    from lorakit.session import Session, load

_HOMES = {
    "Event": "lorakit.execute.events",
    "InvalidDocument": "lorakit.diagnostics",
    "LorakitError": "lorakit.diagnostics",
    "Plan": "lorakit.plan.states",
    "RunFinished": "lorakit.execute.events",
    "Selection": "lorakit.plan.planner",
    "Session": "lorakit.session",
    "Workers": "lorakit.execute.pool",
    "load": "lorakit.session",
}


def __getattr__(name: str) -> object:
    """Import the public names when they are first used: `lorakit --help` must not wait for them."""
    if name in _HOMES:
        import importlib

        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'lorakit' has no attribute '{name}'")


def __dir__() -> list[str]:
    """The public names, whether they have been used or not."""
    return sorted(__all__)
