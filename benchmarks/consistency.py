"""Whether characters stay themselves from frame to frame, and stories stay told: every chain, side by side.

    python benchmarks/consistency.py [--stories 40] [--frames 12] [--long 4] [--only anchor] [--minutes 60]
    python benchmarks/consistency.py --table [--json] [--sheet sheets] [--eye frames]

Stories are drawn at random from the studio's world from a fixed seed: a character with a hat, in a setting,
who does something else with another thing in each sentence. Each arm draws all of them with the studio model:

- independent: each frame from noise of its own;
- copies of the first: that arm's first frame again and again, drawn by nobody; what a mark for consistency
  alone would call the best;
- loop: the img2img loop that people write, pictures in and pictures out, diffusers' own pipeline;
- loop, LAB matched: the same, each picture's LAB histograms matched to the first one's before it goes on;
- each of our chains, without a gate and with one (by the other judge).

Pictures are kept in a folder, an arm and a story in each, and what is there is not drawn again: the command
may be stopped (Ctrl-C, `--minutes`) and goes on where it was. It draws a few stories by every arm before it
draws the next few, so that there is always something to compare: `--table` prints the stories that all arms
have, without arms that have none. `--jobs 2 --job 1` and `--job 2` share them out between two processes.

The examiner (studio/examiner), which is used for nothing else, says what it sees. Columns, each with a 95 %
interval: the character, its hat, this sentence's thing and the setting, in % of the frames behind the first;
likeness, the cosine of the examiner's embeddings of a frame and of the first; diversity, how far a story's
frames are from each other as pictures (mean colour distance of 16x16 places, CIELAB), of what the story's own
independent frames are: 0 for copies; dE, how far a frame's mean colour is from the first one's (CIE76), the
mean of the three frames up to the 10th, 50th and 100th (long stories); sharpness, gradient energy against the
first frame's, of all frames and of the last ten of the long stories; seconds a frame on this machine, by the
clock and of CPU time (which other work on the machine changes little), some stories on a board. On the front
are arms than which none is both more alike and more diverse.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import psutil
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "studio"), str(ROOT / "benchmarks"), str(ROOT)]

from common import label_sheet  # noqa: E402
from consistency_arms import (  # noqa: E402
    COPIES,
    INDEPENDENT,
    STUDIO,
    Arm,
    Row,
    Story,
    every_arm,
    stories,
)
from consistency_marks import Marks, Taken, marks, on_the_front, spread, summary  # noqa: E402
from figures import Interval  # noqa: E402

from lorakit.execute.pool import Workers  # noqa: E402
from lorakit.facts.files.digests import Digests  # noqa: E402
from lorakit.rendering.judge import Judge, load_judge  # noqa: E402
from lorakit.store.canonical import digest_of  # noqa: E402

_PIECE, _LONG_PIECE = 4, 2  # stories that are drawn as one board


class Results:
    """The pictures of arms and stories in a folder; what was drawn of something else is not there.

    Something else is another story, arm or model.
    """

    def __init__(self, folder: Path, model: Path) -> None:
        self.folder = folder
        names = [path.relative_to(model).as_posix() for path in model.rglob("*") if path.is_file()]
        self._model = Digests(None).files(model, names)

    def place(self, arm: Arm, story: Story) -> Path:
        """Where the pictures of an arm's story are."""
        said = digest_of([self._model, arm.says, story.prompts()])
        return (
            self.folder / arm.name.replace(", ", "-").replace(" ", "_") / f"{story.name}-{said[:8]}"
        )

    def has(self, arm: Arm, story: Story) -> bool:
        """Whether it is drawn."""
        return (self.place(arm, story) / "taken.json").is_file()

    def keep(self, arm: Arm, story: Story, row: Row, taken: Taken) -> None:
        """Write a story, whole or not at all."""
        assert len(row) == len(story.things), (arm.name, story.name, len(row))
        place = self.place(arm, story)
        unfinished = place.with_suffix(".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for number, picture in enumerate(row, 1):
            picture.save(unfinished / f"{number:03}.png")
        (unfinished / "taken.json").write_text(json.dumps(taken), encoding="utf-8")
        shutil.rmtree(place, ignore_errors=True)  # what is there without that file is not whole
        unfinished.rename(place)

    def row(self, arm: Arm, story: Story) -> tuple[Row, Taken]:
        """A story's pictures, and what each took."""
        place = self.place(arm, story)
        row = [Image.open(file).convert("RGB") for file in sorted(place.glob("*.png"))]
        return row, Taken(*json.loads((place / "taken.json").read_text(encoding="utf-8")))


def pieces(short: Sequence[Story], long: Sequence[Story]) -> Iterator[Sequence[Story]]:
    """Stories in the order in which they are drawn: those behind both sorts come when there is time."""
    parts = [short[at : at + _PIECE] for at in range(0, len(short), _PIECE)]
    later = [long[at : at + _LONG_PIECE] for at in range(0, len(long), _LONG_PIECE)]
    yield from (*parts[:2], *later[:1], *parts[2:], *later[1:])


def cpu_seconds() -> float:
    """CPU time so far of this process and its workers, those that have ended among them."""
    living = [one.cpu_times() for one in psutil.Process().children(recursive=True)]
    return sum(os.times()[:4]) + sum(one.user + one.system for one in living)


def draw(arms: Sequence[Arm], told: Sequence[Sequence[Story]], kept: Results, until: float) -> None:
    """Draw what is not there yet, until the clock says `until`."""
    todo = [
        (arm, missing)
        for piece in told
        for arm in arms
        if (missing := [story for story in piece if not kept.has(arm, story)])
    ]
    for number, (arm, missing) in enumerate(todo, 1):
        if time.monotonic() > until:
            print(f"{len(todo) - number + 1} of {len(todo)} pieces are left", file=sys.stderr)
            return
        began, spent = time.monotonic(), cpu_seconds()
        rows = arm.draw(missing)
        seconds, spent = time.monotonic() - began, cpu_seconds() - spent
        frames = sum(map(len, rows))
        for story, row in zip(missing, rows, strict=True):
            kept.keep(arm, story, row, Taken(seconds / frames, spent / frames))
        print(
            f"{number}/{len(todo)} {arm.name}: {missing[0].name} to {missing[-1].name}, "
            f"{seconds / frames:.2f} s ({spent / frames:.2f} of CPU) a frame",
            file=sys.stderr,
            flush=True,
        )


def marked(
    arms: Sequence[Arm], told: Sequence[Story], kept: Results, judge: Judge
) -> dict[str, list[Marks]]:
    """The marks of each arm's stories, and of the copies."""
    independent = next(arm for arm in arms if arm.name == INDEPENDENT)
    found: dict[str, list[Marks]] = {arm.name: [] for arm in arms} | {COPIES: []}
    for story in told:
        free, _ = kept.row(independent, story)
        apart = spread(free)
        for arm in arms:
            row, taken = kept.row(arm, story)
            found[arm.name].append(marks(story, row, judge, apart, taken))
        copies = marks(story, [free[0]] * len(free), judge, apart)
        found[COPIES].append(copies)
    return found


def in_markdown(lines: Mapping[str, Mapping[str, Interval]], counted: str) -> str:
    """The table, an arm a row."""
    columns = list(dict.fromkeys(name for line in lines.values() for name in line))
    front = on_the_front(lines)
    rows = [["arm", *columns, "front"], ["---"] * (len(columns) + 2)]
    for arm, line in lines.items():
        cells = [_cell(line.get(name)) for name in columns]
        rows.append([arm, *cells, "yes" if arm in front else ""])
    return "\n".join([*("| " + " | ".join(row) + " |" for row in rows), "", counted])


def _cell(told: Interval | None) -> str:
    if told is None or math.isnan(told.value):
        return ""
    places = 1 if told.value >= 10 else 2
    return f"{told.value:.{places}f} ({told.low:.{places}f} to {told.high:.{places}f})"


def in_json(lines: Mapping[str, Mapping[str, Interval]], told: Sequence[Story]) -> str:
    """The table for programs."""
    arms = {
        arm: {
            name: {"value": one.value, "low": one.low, "high": one.high, "count": one.count}
            for name, one in line.items()
            if not math.isnan(one.value)
        }
        for arm, line in lines.items()
    }
    return json.dumps(
        {"stories": [one.name for one in told], "front": sorted(on_the_front(lines)), "arms": arms},
        indent=1,
    )


def save_sheets(arms: Sequence[Arm], told: Sequence[Story], kept: Results, folder: Path) -> None:
    """A picture a story: all arms below each other, twelve frames of each (spread over long ones)."""
    folder.mkdir(parents=True, exist_ok=True)
    for story in told:
        count = len(story.things)
        shown = sorted({round(at * (count - 1) / 11) for at in range(12)})
        images, texts = [], []
        for arm in arms:
            row, _ = kept.row(arm, story)
            images += [row[at] for at in shown]
            texts += [
                f"{arm.name}, {at + 1}" if at == shown[0] else f"{at + 1} {story.things[at]}"
                for at in shown
            ]
        label_sheet(images, texts, len(shown)).save(folder / f"{story.name}.png")


def save_unnamed(arm: Arm, told: Sequence[Story], kept: Results, folder: Path) -> None:
    """Fifty frames of an arm at random, numbered, for an eye to name, and what they should be."""
    folder.mkdir(parents=True, exist_ok=True)
    every = [(story, at) for story in told for at in range(1, len(story.things))]
    chosen = random.Random(f"eye{arm.name}").sample(every, min(50, len(every)))
    rows = {story.name: kept.row(arm, story)[0] for story in {story for story, _ in chosen}}
    images = [rows[story.name][at].resize((256, 256)) for story, at in chosen]
    for first in range(0, len(chosen), 25):
        numbers = [str(first + number) for number in range(1, 26)]
        label_sheet(images[first : first + 25], numbers, 5).save(folder / f"{arm.name}-{first}.png")
    answers = [f"{n} {story.prompts()[at]}" for n, (story, at) in enumerate(chosen, 1)]
    (folder / f"{arm.name}.txt").write_text("\n".join(answers), encoding="utf-8")


def main() -> None:
    """Draw what is missing, then print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--stories", type=int, default=40)
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--long", type=int, default=4, help="stories of 100 frames")
    parser.add_argument(
        "--only", action="append", default=[], metavar="ARM", help="an arm by its name, repeatable"
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "outputs" / "consistency")
    parser.add_argument("--minutes", type=float, default=math.inf, help="draw no longer than this")
    parser.add_argument("--jobs", type=int, default=1, help="processes that share the stories")
    parser.add_argument("--job", type=int, default=1, help="which of them this is, from 1 on")
    parser.add_argument("--table", action="store_true", help="draw nothing, print what is there")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--sheet", type=Path, metavar="FOLDER", help="save a picture a story")
    parser.add_argument(
        "--eye", type=Path, metavar="FOLDER", help="save 50 frames an arm to be named"
    )
    args = parser.parse_args()
    kept = Results(args.folder, STUDIO / "model")
    short, long = (
        stories(args.stories, args.frames, "short"),
        stories(args.long, 100, "long"),
    )
    with Workers() as workers:
        arms = every_arm(workers)
        if unknown := set(args.only) - {arm.name for arm in arms}:
            parser.error(f"no arm {', '.join(sorted(unknown))}; there are {[a.name for a in arms]}")
        arms = [arm for arm in arms if not args.only or arm.name in (*args.only, INDEPENDENT)]
        if not args.table:
            mine = [one[args.job - 1 :: args.jobs] for one in (short, long)]
            draw(arms, list(pieces(*mine)), kept, time.monotonic() + 60 * args.minutes)
    every = (*short, *long)
    arms = [arm for arm in arms if any(kept.has(arm, story) for story in every)]
    told = [story for story in every if all(kept.has(arm, story) for arm in arms)]
    if not told or INDEPENDENT not in {arm.name for arm in arms}:
        parser.exit(1, "no story is drawn by all arms yet: run it without --table\n")
    lines = {
        name: summary(stories_of)
        for name, stories_of in marked(arms, told, kept, load_judge(STUDIO / "examiner")).items()
    }
    frames = sum(len(story.things) for story in told)
    counted = f"{len(told)} of {len(short) + len(long)} stories, {frames} frames an arm"
    print(in_json(lines, told) if args.json else in_markdown(lines, counted))
    if args.sheet:
        save_sheets(arms, told, kept, args.sheet)
    if args.eye:
        for arm in arms:
            save_unnamed(arm, told, kept, args.eye)


if __name__ == "__main__":
    main()
