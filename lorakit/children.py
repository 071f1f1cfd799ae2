"""How every process of ours is started: with modules of the installation only, never of a user's folder.

A recipe comes from others as often as not. A `torch.py` beside it must not be what a worker imports, so no
child has its working directory, or what `PYTHONPATH` names, among the places where Python looks for modules.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

# variables of Python that change no module and no meaning of a program
_HARMLESS = {
    "PYTHONHOME",
    "PYTHONPLATLIBDIR",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX",
    "PYTHONNOUSERSITE",
    "PYTHONHASHSEED",
    "PYTHONMALLOC",
}
# where lorakit itself was found comes last: nothing that stands there hides a module of the installation
_START = (
    "import sys; sys.path.append(sys.argv.pop(1)); import runpy; "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)


def python(module: str, *words: str) -> list[str]:
    """The command line of a child that runs a module of lorakit."""
    home = Path(__file__).resolve().parents[1]
    return [sys.executable, "-P", "-c", _START, str(home), module, *words]


def environment(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child, after ours or the one `given`, without what would bend Python."""
    every = os.environ if given is None else given
    kept = {k: v for k, v in every.items() if not k.startswith("PYTHON") or k in _HARMLESS}
    # for what a child starts in its turn
    return {**kept, "PYTHONSAFEPATH": "1", "PYTHONUTF8": "1"}
