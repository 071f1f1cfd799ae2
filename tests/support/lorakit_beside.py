"""`lorakit` with the words given, whose children are forked from a nursery: `nursery.lorakit_beside` starts it."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2]))

from lorakit.cli import main
from tests.support import nursery

if __name__ == "__main__":
    address, notes, *words = sys.argv[1:]
    nursery.install(address, Path(notes))
    sys.argv = ["lorakit", *words]
    main()
