"""A data set of pictures as a page: cuts, captions, what is alike, what is left out. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lorakit.diagnostics import shortened
from lorakit.pages import data_parts
from lorakit.pages.links import token
from lorakit.pages.parts import (
    Fact,
    FactList,
    Page,
    PagePicture,
    PageTable,
    Paragraph,
    Part,
    PictureStrip,
    Reason,
    Reasons,
    Section,
)
from lorakit.plan import numbers
from lorakit.preview.missing_captions import ways
from lorakit.preview.picture_doubts import MUCH
from lorakit.preview.seen_picture import SeenPicture
from lorakit.preview.seen_pictures import SeenPictures

_MOST_NAMED = 200  # files of one reason
_MOST_GROUPS = 200
_LONG, _WHOLE = 400, 4000  # letters of a caption, at a glance and once it is asked for


def pictures_page(seen: SeenPictures) -> Page:
    """The page of a data set of pictures."""
    every = seen.pictures
    by_name = {one.name: one for one in every}
    note = f"Each as the model will see it, by the size that it is trained at; {seen.model.source}"
    if seen.ways > 1:
        note += f". A training shows one of {seen.ways} cuts and mirrored views; here it is the middle, plain"
    tokens = [one.tokens for one in every if one.tokens is not None]
    return data_parts.page(
        seen,
        list(_facts(seen)),
        [
            Section("missing", "Captions that are missing", list(_missing(seen)), "Missing"),
            Section("pictures", "Pictures", list(_strips(seen)), "Pictures", note),
            Section("sizes", "Sizes", [_sizes(seen)] if every else [], "Sizes"),
            Section(
                "captions",
                "Captions",
                [
                    *data_parts.lengths(
                        "How long captions are", tokens, seen.tokens_read, "captions"
                    ),
                    *_tags(seen),
                ],
                "Captions",
            ),
            Section("alike", "Alike", list(_alike(seen, by_name)), "Alike"),
            Section("passed", "Left out", list(_passed(seen)), "Left out"),
        ],
    )


def _facts(seen: SeenPictures) -> Iterator[Fact]:
    every = seen.pictures
    held = sum(one.held_out for one in every)
    yield Fact("Pictures", f"{len(every):,}")
    yield Fact("Shown an epoch", f"{sum(one.repeats for one in every if not one.held_out):,}")
    if held:
        yield Fact("Held out", f"{held:,}")
    yield Fact("Sizes", f"{len(seen.buckets):,}")
    yield Fact("With a caption", f"{sum(one.own is not None for one in every):,}")
    if every:
        yield Fact("Cut away", f"{sum(one.lost for one in every) / len(every):.0%}")
    if seen.passed:
        yield Fact("Left out", numbers.count(len(seen.passed), "file"))


def _missing(seen: SeenPictures) -> Iterator[Part]:
    if not seen.lacking:
        return
    few = ", ".join(seen.lacking[:_MOST_NAMED])
    more = len(seen.lacking) - _MOST_NAMED
    have = "has" if len(seen.lacking) == 1 else "have"
    yield Paragraph(
        f"{numbers.count(len(seen.lacking), 'picture')} {have} no caption: {few}"
        f"{f' and {more:,} more' if more > 0 else ''}. There are three ways out:"
    )
    yield FactList(
        [Fact(way.name, way.how) for way in ways(seen.look, seen.lacking, rows=seen.in_tables)]
    )


def _strips(seen: SeenPictures) -> Iterator[PictureStrip]:
    twins = {name for one in seen.alike for name in one.names}
    for (width, height), members in seen.buckets:
        mean = sum(one.lost for one in members) / len(members)
        cut = f", {mean:.0%} cut away on average" if mean >= 0.005 else ""
        yield PictureStrip(
            [_picture(one, seen, twins) for one in members],
            title=f"{width} x {height} px",
            note=f"{numbers.count(len(members), 'picture')}{cut}",
        )


def _picture(one: SeenPicture, seen: SeenPictures, twins: set[str]) -> PagePicture:
    lacking = one.own is None and "{caption}" in seen.look.source.caption
    tokens = "" if one.tokens is None else numbers.count(one.tokens, "token")
    notes = [
        "no caption" if lacking else "",
        "held out" if one.held_out else "",
        f"{one.lost:.0%} cut away" if one.lost >= MUCH else "",
    ]
    return PagePicture(
        alt=one.name,
        src=f"{seen.folder.name}/{one.thumbnail.name}",
        text=shortened(one.caption, _LONG),
        prompt=shortened(one.caption, _WHOLE) if len(one.caption) > _LONG else "",
        summary=", ".join(filter(None, (one.name, tokens))),
        facts=list(_picture_facts(one, twins)),
        size=one.thumbnail.size,
        tone="failed" if lacking else "skipped" if one.held_out else "",
        note=", ".join(filter(None, notes)),
        id=token(one.name),
    )


def _picture_facts(one: SeenPicture, twins: set[str]) -> Iterator[Fact]:
    yield Fact("File", one.name)
    yield Fact("Its size", f"{one.size[0]} x {one.size[1]} px")
    yield Fact("Trained at", f"{one.bucket[0]} x {one.bucket[1]} px")
    yield Fact("Cut away", f"{one.lost:.1%}")
    if one.scale > 1:
        yield Fact("Enlarged", f"{one.scale:.2g} times")
    if one.own is not None and one.own != one.caption:
        yield Fact("Its own words", one.own)
    if one.repeats > 1:
        yield Fact("Shown", f"{one.repeats} times an epoch")
    if one.held_out:
        yield Fact("Held out", "measured by, not learnt from")
    if one.converted:
        yield Fact("Colours", "turned into 8 bits of sRGB")
    if one.several:
        yield Fact("Frames", "the first alone")
    if one.mask:
        yield Fact("Mask", "it has one")
    if one.name in twins:
        yield Fact("Alike", "others are like it", "alike")


def _sizes(seen: SeenPictures) -> PageTable:
    rows = []
    for (width, height), members in seen.buckets:
        worst = max(members, key=lambda one: one.lost)
        small = sum(one.scale > 1 for one in members)
        rows.append(
            (
                f"{width} x {height}",
                f"{width / height:.2f}",
                f"{len(members):,}",
                f"{sum(one.repeats for one in members if not one.held_out):,}",
                f"{sum(one.lost for one in members) / len(members):.1%}",
                f"{worst.lost:.1%}",
                f"{small:,}",
            )
        )
    head = ("Size in px", "Shape", "Pictures", "An epoch", "Cut away", "At most", "Enlarged")
    note = "Batches are of one size; a picture has the size nearest to its own shape"
    if getattr(seen.look.step, "center_crop", False):
        note = "center_crop: all are cut to squares"
    return PageTable("Sizes that are trained at", head, rows, frozenset(range(1, 7)), note=note)


def _tags(seen: SeenPictures) -> Iterator[PageTable]:
    if seen.tags:
        every = len(seen.pictures)
        rows = [(tag, f"{count:,}", f"{count / every:.0%}") for tag, count in seen.tags]
        note = "Parts of captions between commas, the commonest first"
        yield PageTable("Tags", ("Tag", "Pictures", "Share"), rows, frozenset((1, 2)), note=note)


def _alike(seen: SeenPictures, by_name: Mapping[str, SeenPicture]) -> Iterator[Part]:
    for number, one in enumerate(seen.alike[:_MOST_GROUPS], 1):
        pictures = []
        for name, how in zip(one.names, one.how, strict=True):
            shown = by_name[name]
            pictures.append(
                PagePicture(
                    alt=f"{name}, group {number}",
                    src=f"{seen.folder.name}/{shown.thumbnail.name}",
                    text=name,
                    summary={
                        None: "the first of them",
                        "same bytes": "the same file again",
                        "same picture": "the same picture, saved again or in another size",
                        "mirrored": "mirrored",
                    }[how],
                    size=shown.thumbnail.size,
                )
            )
        kept = all(how in (None, "mirrored") for how in one.how)
        note = "another picture to the model, and hardly more to learn from" if kept else ""
        yield PictureStrip(pictures, title=f"Group {number}", note=note)
    more = len(seen.alike) - _MOST_GROUPS
    if more > 0:
        yield Paragraph(f"And {numbers.count(more, 'group')} more")


def _passed(seen: SeenPictures) -> Iterator[Reasons]:
    groups: dict[str, list[str]] = {}
    for one in seen.passed:
        groups.setdefault(one.why, []).append(one.name)
    if groups:
        items = [
            Reason(why, numbers.count(len(found), "file"), "skipped", items=found[:_MOST_NAMED])
            for why, found in sorted(groups.items(), key=lambda item: -len(item[1]))
        ]
        yield Reasons("Files", f"{len(seen.passed):,} that nothing is learnt from", items)
