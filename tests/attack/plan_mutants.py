"""Plans with mutated files, one after the other, in a process whose memory and time are its own.

`python -m tests.attack.plan_mutants HOME LIST` puts each file of the list (JSON: path, recipe, mutant) in its place,
plans, puts the old one back, and prints a line of JSON: how it ended, what it said, s of work, peak bytes so far.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

from tests.attack.commands import lorakit

_UNIT = 1 if sys.platform == "darwin" else 1024  # bytes in which ru_maxrss counts


def main() -> None:
    """Plan with each."""
    todo = json.loads(Path(sys.argv[2]).read_text())
    os.chdir(sys.argv[1])
    for name, recipe, mutant in todo:
        path = Path(name)
        data = path.read_bytes()
        path.write_bytes(Path(mutant).read_bytes())
        Path("r.yaml").write_text(recipe)
        began = time.process_time()
        said = lorakit("plan", "r.yaml")
        spent = time.process_time() - began
        path.write_bytes(data)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
        told = {"code": said.code, "text": said.text, "spent": spent, "peak": peak}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
