"""The pictures of a run as parts of a page: scenes, pictures of prompts, members of a sweep, samples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from lorakit.execute.past_action import PastAction
from lorakit.execute.past_run import WholeRun
from lorakit.pages.links import token
from lorakit.pages.parts import Fact, Film, PagePicture, PictureStrip, Single, Tone
from lorakit.pages.run_files import RunFiles
from lorakit.plan import numbers

_NUMBERED = re.compile(r"(\d+)\. (.+)", re.DOTALL)
_TONES: Mapping[str, Tone] = {
    "made": "made",
    "cached": "cached",
    "failed": "failed",
    "skipped": "skipped",
    "held": "skipped",
}
Rows = Sequence[tuple[str, Sequence[tuple[str, str]]]]


@dataclass(frozen=True)
class Pictures:
    """All that the pictures of one run need to be told of; `lines` are ids of documents by their names."""

    run: WholeRun
    files: RunFiles
    lines: Mapping[str, str]

    @cached_property
    def by_id(self) -> Mapping[str, PastAction]:
        """The actions by their ids."""
        return {action.id: action for action in self.run.actions}

    @cached_property
    def mixed(self) -> bool:
        """Whether some things were made and others kept, so that it is worth a mark which."""
        return {"made", "cached"} <= {a.outcome for a in self.run.actions}

    def strips(self, rows: Rows) -> Iterator[PictureStrip]:
        """A strip for each row of a sheet."""
        seen: set[str] = set()
        for title, shown in rows:
            numbered = _NUMBERED.fullmatch(title)
            name = numbered[2] if numbered else title
            pictures = []
            for number, (id_, caption) in enumerate(shown, 1):
                action = self.by_id.get(id_)
                if action is None:
                    continue
                words = f"{name}, picture {number}" if name else f"picture {number}"
                pictures.append(self._picture(action, words, caption, seen))
            yield PictureStrip(
                pictures,
                title=name,
                number=numbered[1] if numbered else "",
                note=_made_of(pictures) if self.mixed else "",
            )

    def _picture(self, action: PastAction, alt: str, text: str, seen: set[str]) -> PagePicture:
        src = action.file("picture")
        frame = action.frame
        first = action.id not in seen
        seen.add(action.id)
        there = src in self.files.bytes
        return PagePicture(
            alt=alt,
            src=src if there else "",
            text=text or frame.prompt or action.label,
            prompt=frame.prompt,
            summary=_summary(action) if first else "held",
            facts=list(self._facts(action)),
            size=frame.size,
            tone=_TONES.get(action.outcome, "") if self.mixed or action.outcome == "failed" else "",
            note="" if there else _missing(action),
            id=token(action.id) if first else "",
        )

    def _facts(self, action: PastAction) -> Iterator[Fact]:
        frame = action.frame
        if frame.seed is not None:
            yield Fact("Seed", f"{frame.seed}")
        for id_ in frame.starts:
            yield Fact("Starts from", id_, token(id_))
        if frame.starts and frame.strength is not None:
            yield Fact("Strength", f"{frame.strength:g}")
        if frame.steps:
            few = frame.effective_steps and frame.effective_steps != frame.steps
            yield Fact(
                "Steps", f"{frame.effective_steps} of {frame.steps}" if few else f"{frame.steps}"
            )
        if frame.guidance_scale is not None:
            yield Fact("Guidance", f"{frame.guidance_scale:g}")
        if frame.negative_prompt:
            yield Fact("Without", frame.negative_prompt)
        if frame.size[0]:
            yield Fact("Size", f"{frame.size[0]} x {frame.size[1]} px")
        yield Fact("Came", outcome_words(action), tone=_TONES.get(action.outcome, ""))
        if action.worker and action.outcome == "made":
            yield Fact("Made by", action.worker)
        if action.reason:
            yield Fact("Why", action.reason)
        if action.place:
            file, line, column = action.place
            at = self.lines.get(file)
            yield Fact("Written at", f"{file}:{line}:{column}", f"{at}-{line}" if at else "")
        if action.file("picture"):
            yield Fact("File", action.file("picture"))

    def film(self, action: PastAction, poster: str) -> Film | None:
        """A film with its length; None where it is not there."""
        src = action.file("film")
        if src not in self.files.bytes:
            return None
        length = [numbers.duration(action.film_seconds)] if action.film_seconds else []
        note = ", ".join([*length, numbers.size(self.files.bytes[src])])
        shown = poster if poster in self.files.bytes else ""
        return Film(src, action.label, shown, note, action.size)

    def sheet(self, action: PastAction, alt: str, note: str = "") -> Single | None:
        """A sheet of several pictures as one; None where it is not there."""
        src = action.file("sheet")
        if src not in self.files.bytes:
            return None
        return Single(src, alt, note, self.files.sizes.get(src, (0, 0)))


def outcome_words(action: PastAction) -> str:
    """What became of an action, in words."""
    match action.outcome:
        case "made":
            return f"made after {numbers.duration(action.seconds)}" if action.seconds else "made"
        case "cached":
            return "kept from an earlier run"
        case "failed" | "skipped":
            return f"{action.outcome}: {action.detail}" if action.detail else action.outcome
        case "held":
            return "left out"
    return "not made"


def _missing(action: PastAction) -> str:
    """Why a picture is not there."""
    if action.succeeded:
        return "the picture is not in the folder any more"
    return outcome_words(action)


def _summary(action: PastAction) -> str:
    """The line beneath a picture: its seed, and what it starts from."""
    frame = action.frame
    if frame.seed is None:
        return ""
    words = [f"seed {frame.seed}"]
    if frame.starts and frame.strength is not None:
        words.append(f"from {frame.starts[0].rpartition('/')[2]} at {frame.strength:g}")
    return ", ".join(words)


def _made_of(pictures: Sequence[PagePicture]) -> str:
    """How many pictures of a strip were made again."""
    made = sum(p.tone == "made" for p in pictures)
    return f"{made} of {len(pictures)} made" if made else "kept"
