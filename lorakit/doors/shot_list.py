"""A story as a shot list (.csv), which spreadsheets open."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from lorakit.doors.cut import Cut, CutShot
from lorakit.language.story.rates import Rate
from lorakit.plan.clock import timecode

COLUMNS = (
    "shot",
    "address",
    "scene",
    "caption",
    "start",
    "end",
    "first_frame",
    "frames",
    "seconds",
    "transition_frames",
    "prompt",
    "negative_prompt",
    "seed",
    "strength",
    "num_inference_steps",
    "guidance_scale",
    "width",
    "height",
    "picture",
)
# what makes a spreadsheet take a cell for a formula (OWASP, CSV injection); the wide forms are Japan's
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def shot_list(cut: Cut, home: Path) -> str:
    """The shots as RFC 4180 has it, in UTF-8 with a mark for Excel; pictures' paths are from `home`."""
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for number, shot in enumerate(cut.shots, 1):
        writer.writerow([_cell(value) for value in _row(number, shot, cut.fps, home)])
    return out.getvalue()


def _row(number: int, shot: CutShot, fps: Rate, home: Path) -> list[object]:
    task = shot.task
    picture = shot.picture
    return [
        number,
        shot.address,
        shot.scene,
        shot.caption,
        timecode(shot.first, fps),
        timecode(shot.end, fps),
        shot.first,
        shot.frames,
        round(float(shot.frames / fps), 3),
        shot.fade,
        *(
            (
                task.prompt,
                task.negative_prompt,
                task.seed,
                task.strength,
                task.num_inference_steps,
                task.guidance_scale,
                task.width,
                task.height,
            )
            if task
            else [""] * 8
        ),
        picture.relative_to(home).as_posix() if picture else "",
    ]


def _cell(value: object) -> object:
    """A text that a spreadsheet would reckon with gets an apostrophe, which shows and computes nothing."""
    if isinstance(value, str) and value.lstrip(" \n").startswith(_FORMULA):
        return f"'{value}"
    return value
