"""`lorakit watch`: from a save to its picture in the browser, one frame of the studio model.

    python benchmarks/watch.py [--saves 5]

A storyboard of two frames; each save changes the words of the second. A client does what the page does: it
waits for the server's events, fetches the page after each, and then its pictures. The clock runs from the
save to the moment at which it holds the bytes of a picture that was never there before. Told too: when the
frame was drawn, and the seconds of the processor that `watch` and its workers had until then, which others
change less.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import queue
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin
from urllib.request import urlopen

import psutil

BOARD = """storyboard: 1
look: {{style: soft 3d illustration}}
characters:
  bunny: {{anchor: a white bunny with a magic hat, pronouns: he}}
chain: {{from: anchor, strength: 0.7}}
scenes:
  - name: meadow
    setting: in a green meadow
    sentences:
      - The bunny looks at a wooden door
      - He finds a {word}
video: {{fps: 12, hold: 0.5, height: 256}}
"""
WORDS = ("golden key", "red apple", "silver ring", "blue ball", "green hat", "small boat", "map")


def processor(process: psutil.Process) -> float:
    """Seconds of the processor that it and its children have had."""
    every = [process, *process.children(recursive=True)]
    return sum(sum(one.cpu_times()[:2]) for one in every)


def told(process: subprocess.Popen[str]) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for line in process.stdout:
        yield json.loads(line)


def browse(url: str, arrived: queue.Queue[float]) -> None:
    """What a browser does with the page; `arrived` is told the moment of each picture with new bytes."""
    seen: set[bytes] = set()
    with urlopen(urljoin(url, "events")) as events:
        for line in events:
            if not line.startswith(b"data:") or json.loads(line[5:])["over"]:
                continue
            with urlopen(url) as answer:
                page, text = answer.url, answer.read().decode()
            for source in dict.fromkeys(re.findall(r'<img src="([^"]+\.png)"', text)):
                with urlopen(urljoin(page, source)) as answer:
                    digest = hashlib.sha256(answer.read()).digest()
                if digest not in seen:
                    seen.add(digest)
                    arrived.put(time.monotonic())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--saves", type=int, default=5)
    saves = parser.parse_args().saves
    with tempfile.TemporaryDirectory() as folder:
        board = Path(folder, "board.yaml")
        board.write_text(BOARD.format(word="wooden box"))
        process = subprocess.Popen(
            [sys.executable, "-m", "lorakit", "watch", "board.yaml", "--json", "--no-open"],
            cwd=folder,
            stdout=subprocess.PIPE,
            text=True,
        )
        every, root = told(process), psutil.Process(process.pid)
        arrived: queue.Queue[float] = queue.Queue()
        url = next(every)["url"]
        threading.Thread(target=browse, args=(url, arrived), daemon=True).start()
        clock, busy, drawn = [], [], []
        next(e for e in every if e["type"] == "waiting")
        for number in range(saves + 1):
            time.sleep(1)
            while not arrived.empty():  # of the save before: its sheet
                arrived.get()
            began, had = time.monotonic(), processor(root)
            board.write_text(BOARD.format(word=WORDS[number % len(WORDS)] + "!" * (number // 7)))
            next(e for e in every if e["type"] == "action-finished" and e["outcome"] == "made")
            made = time.monotonic()
            shown, spent = arrived.get(timeout=600), processor(root)
            if number:  # the first save still tries sizes of calls
                clock.append(shown - began)
                busy.append(spent - had)
                drawn.append(made - began)
            next(e for e in every if e["type"] == "waiting")
        process.send_signal(signal.SIGINT)
        process.wait()
    middle = statistics.median(clock)
    print(
        f"save to the picture in the browser, {saves} saves: {middle:.2f} s by the clock (median),"
    )
    print(f"  {min(clock):.2f} at best; drawn after {statistics.median(drawn):.2f} s")
    print(f"  {statistics.median(busy):.2f} s of the processor, {min(busy):.2f} at best")


if __name__ == "__main__":
    main()
