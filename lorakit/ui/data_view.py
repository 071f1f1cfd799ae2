"""A data set that was looked at, in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from lorakit import terminal
from lorakit.language.yaml import names
from lorakit.plan import numbers
from lorakit.preview.picture_doubts import MUCH
from lorakit.preview.seen import Seen
from lorakit.preview.seen_picture import SeenPicture
from lorakit.preview.seen_pictures import SeenPictures
from lorakit.preview.seen_texts import SeenTexts, TextPart
from lorakit.preview.written_captions import WrittenCaptions
from lorakit.ui.columns import columns
from lorakit.ui.summary import short_path

_SHOWN = 8  # pictures, files, labels that are named
_WIDE = 70  # letters of a caption


def data_lines(seen: Seen) -> Iterator[str]:
    """Yield what is to be read of a data set, line by line."""
    yield from _rows([("", terminal.line(seen.look.title)), *_of(seen)])
    if isinstance(seen, SeenPictures) and seen.pictures:
        shown = seen.pictures[:_SHOWN]
        yield ""
        yield from (f"  {line}" for line in columns([_picture(one) for one in shown]))
        more = len(seen.pictures) - len(shown)
        if more > 0:
            yield f"  and {numbers.count(more, 'picture')} more: the page has all"


def _of(seen: Seen) -> Iterator[tuple[str, str]]:
    yield from _pictures(seen) if isinstance(seen, SeenPictures) else _texts(seen)


def _rows(rows: Sequence[tuple[str, str]]) -> Iterator[str]:
    for name, told in rows:
        yield f"  {name:<9} {told}" if name else told


def _pictures(seen: SeenPictures) -> Iterator[tuple[str, str]]:
    every = seen.pictures
    held = sum(one.held_out for one in every)
    epoch = sum(one.repeats for one in every if not one.held_out)
    out = f", {held} of them held out" if held else ""
    yield "pictures", f"{len(every):,}{out}; {epoch:,} shown an epoch"
    sizes = [f"{len(members)} at {_size(size)}" for size, members in seen.buckets]
    yield "sizes", names.enumerated(sizes, _SHOWN)
    much = sorted((one for one in every if one.lost >= MUCH), key=lambda one: -one.lost)
    if seen.ways > 1:
        yield (
            "shown as",
            f"one of {seen.ways} cuts and mirrored views each time; here it is the middle, plain",
        )
    mean = sum(one.lost for one in every) / len(every) if every else 0.0
    worst = (
        f"; most of {names.enumerated([f'{one.name} ({one.lost:.0%})' for one in much], 4)}"
        if much
        else ""
    )
    yield "cut away", f"{mean:.0%} of a picture on average{worst}"
    yield "captions", _captions(seen)
    for one in seen.alike[:_SHOWN]:
        like = [f"{name} ({how})" for name, how in zip(one.names[1:], one.how[1:], strict=True)]
        yield "alike", f"{one.names[0]}: {names.enumerated(like, 4)}"
    if len(seen.alike) > _SHOWN:
        yield "", f"            and {len(seen.alike) - _SHOWN} more groups"
    yield from _passed(seen)


def _captions(seen: SeenPictures) -> str:
    counted = sorted(one.tokens for one in seen.pictures if one.tokens is not None)
    tokens = (
        f"{counted[0]} to {counted[-1]} tokens with both ends, of {seen.tokens_read} that are read"
        if counted
        else "tokens are not counted: the tokenizer is not on this machine"
    )
    longer = sum(one > seen.tokens_read for one in counted)
    tokens += f", {longer:,} longer than that" if longer else ""
    own = sum(one.own is not None for one in seen.pictures)
    return f"{own:,} of {len(seen.pictures):,} pictures have one; {tokens}"


def _passed(seen: SeenPictures) -> Iterator[tuple[str, str]]:
    """What is passed over, by reasons, the commonest first."""
    for why, count in Counter(one.why for one in seen.passed).most_common():
        few = [one.name for one in seen.passed if one.why == why]
        yield "left out", f"{count:,}, {why}: {names.enumerated(few, 3)}"


def _picture(one: SeenPicture) -> tuple[str, ...]:
    tokens = "" if one.tokens is None else numbers.count(one.tokens, "token")
    cut = f"{one.lost:.0%} cut" if one.lost >= 0.005 else ""
    caption = one.caption if len(one.caption) <= _WIDE else f"{one.caption[:_WIDE]}…"
    shape = (
        _size(one.size) if one.size == one.bucket else f"{_size(one.size)} -> {_size(one.bucket)}"
    )
    return one.name, shape, cut, tokens, caption or "no caption"


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _texts(seen: SeenTexts) -> Iterator[tuple[str, str]]:
    for name, part in (("trained", seen.train), ("scored", seen.test)):
        labels = [
            f"{label} {count:,}" for label, count in zip(seen.labels, part.counts, strict=True)
        ]
        yield name, f"{numbers.count(part.texts, 'text')}: {names.enumerated(labels, _SHOWN)}"
        if part.tokens:
            yield "", f"            {_tokens(part, seen.read)}"
    for one in seen.repeated[:4]:
        text = one.text if len(one.text) <= _WIDE else f"{one.text[:_WIDE]}…"
        yield "repeated", terminal.line(f"{one.trained} trained, {one.scored} scored: {text}")
    if len(seen.repeated) > 4:
        yield "", f"            and {len(seen.repeated) - 4:,} more texts"


def _tokens(part: TextPart, read: int) -> str:
    longer = sum(one > read for one in part.tokens)
    cut = (
        f"; {numbers.count(longer, 'text')} longer than the {read} that are read" if longer else ""
    )
    middle = part.tokens[len(part.tokens) // 2]
    return f"{part.tokens[-1]} to {part.tokens[0]} tokens, {middle} in the middle{cut}"


def written_lines(written: WrittenCaptions) -> Iterator[str]:
    """Yield what was written beside pictures."""
    for file, text in written.files[:_SHOWN]:
        yield f"written  {terminal.quoted(short_path(str(file)))}: {terminal.line(text)}"
    more = len(written.files) - _SHOWN
    if more > 0:
        yield f"written  and {numbers.count(more, 'file')} more"
    had = f"; {numbers.count(written.had, 'picture')} had one" if written.had else ""
    yield f"{numbers.count(len(written.files), 'caption')} written{had}"
    if written.left:
        few = names.enumerated([short_path(str(file)) for file in written.left], 4)
        yield f"left as they are, and without a word in them: {terminal.line(few)}"


def page_line(page: Path) -> str:
    """Where the page is, in full."""
    return f"page  {terminal.quoted(str(page))}"
