"""What other machines cost: 10,000 cached actions planned against a team's cache that is 20 ms away.

    python -m benchmarks.cluster [--frames 10000] [--latency 0.02]

What an action costs through Ray, and what several workers come to, is `benchmarks/nodes.py`'s.

The cache holds made-up results of a few bytes for every action, and is served by Python's own HTTP server,
each answer of which waits. The project is a fresh clone: its store is empty, and no pack was read before.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.planning import board
from lorakit.facts.machine.environment import environment
from lorakit.plan.keys import action_key
from lorakit.remote import packs
from lorakit.remote.team_cache import LIST, PACKS
from lorakit.session import load
from lorakit.store.manifests import Manifest, Output


def fill(home: Path, shared: Path) -> int:
    """Put a pack of made-up results of all actions into a cache, as a push does; how many there are."""
    with contextlib.chdir(home):
        plan = load("board.yaml").plan(remote=False)
    asked: dict[str, set[str]] = {}
    for source in (i for one in plan.actions for i in one.action.inputs):
        asked.setdefault(source.action, set()).add(source.output)
    outputs: dict[str, dict[str, Output]] = {}
    entries = {}
    for action in (one.action for one in plan.actions):
        inputs = {i.role: outputs[i.action][i.output].digest for i in action.inputs}
        key = action_key(action, inputs)
        names = set(action.files) | asked.get(action.id, set())
        outputs[action.id] = {name: Output.of(f"{name} of {key}".encode()) for name in names}
        made = Manifest(
            key, action.kind, action.task.key(), inputs, outputs[action.id], 1.0, environment()
        )
        entries[key] = packs.entry(made, 1)
    name, data = packs.write(entries, 1)
    (shared / PACKS).mkdir()
    (shared / PACKS / name).write_bytes(data)
    (shared / LIST).write_text(f"{name}\n")
    print(f"a pack of {len(entries):,} manifests: {len(data):,} bytes")
    return len(plan.actions)


class _Late(http.server.SimpleHTTPRequestHandler):
    """Hands out files, each after a while, and counts what it is asked."""

    latency = 0.0
    asked = 0

    def do_GET(self) -> None:
        type(self).asked += 1
        time.sleep(self.latency)
        super().do_GET()

    def log_message(self, *_: object) -> None: ...


def measure(home: Path, url: str) -> tuple[float, float, dict[str, object]]:
    """A fresh process that plans: seconds of the plan alone, of the CPU too, what it says of the cache."""
    program = (
        "import json, time, lorakit\nfrom lorakit.ui.plan_json import plan_as_json\n"
        "session = lorakit.load('board.yaml')\nbegan = time.perf_counter()\nbusy = time.process_time()\n"
        "plan = session.plan()\n"
        "took = time.perf_counter() - began\nbusy = time.process_time() - busy\n"
        "print(json.dumps([took, busy, plan_as_json(plan)['cache']]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=home,
        env={**os.environ, "LORAKIT_CACHE": url},
        check=True,
        capture_output=True,
        text=True,
    )
    took, busy, cache = json.loads(done.stdout)
    return took, busy, cache


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--frames", type=int, default=10_000)
    options.add_argument("--latency", type=float, default=0.02, help="seconds before each answer")
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home, clone, shared = (Path(folder, name) for name in ("home", "clone", "shared"))
        for one in (home, clone, shared):
            one.mkdir()
        for one in (home, clone):
            (one / ".lorakit").mkdir()
            (one / "board.yaml").write_text(board(chosen.frames))
        count = fill(home, shared)
        shutil.rmtree(home)
        _Late.latency = chosen.latency
        handler = functools.partial(_Late, directory=str(shared))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        alone, alone_busy, _ = measure(clone, "off")
        took, busy, cache = measure(clone, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        assert cache["actions"] == count, cache
        print(
            f"{count:,} actions, all in a cache {1e3 * chosen.latency:.0f} ms away: planned in {took:.2f} s "
            f"({busy:.2f} s of the CPU) with {_Late.asked} answers of it; "
            f"{alone:.2f} s ({alone_busy:.2f}) with no cache"
        )


if __name__ == "__main__":
    main()
