"""A data set that was looked at as JSON data: for scripts, all that is known of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lorakit.diagnostics import as_json as finding_json
from lorakit.preview.seen import Seen
from lorakit.preview.seen_picture import SeenPicture
from lorakit.preview.seen_pictures import SeenPictures
from lorakit.preview.seen_texts import SeenTexts, TextPart


def seen_json(seen: Seen, page: Path) -> dict[str, Any]:
    """The whole of a look; `page` is where it can be looked at."""
    head = {
        "data": seen.look.called,
        "step": seen.look.step.name if seen.look.asked else None,
        "place": str(seen.place),
        "page": str(page),
        "ready": not seen.errors,
    }
    told = _pictures(seen) if isinstance(seen, SeenPictures) else _texts(seen)
    return {**head, **told, "findings": [finding_json(one) for one in seen.findings]}


def _pictures(seen: SeenPictures) -> dict[str, Any]:
    return {
        "kind": "images",
        "model": seen.model.source,
        "tokens_read": seen.tokens_read,
        "pictures": [_picture(one, seen) for one in seen.pictures],
        "buckets": [
            {"size": list(size), "pictures": len(members)} for size, members in seen.buckets
        ],
        "alike": [
            [{"file": name, "how": how} for name, how in zip(one.names, one.how, strict=True)]
            for one in seen.alike
        ],
        "passed_over": [one._asdict() for one in seen.passed],
        "without_caption": list(seen.lacking),
        "tags": dict(seen.tags),
    }


def _picture(one: SeenPicture, seen: SeenPictures) -> dict[str, Any]:
    print_ = one.thumbnail.fingerprint
    return {
        "file": one.name,
        "size": list(one.size),
        "trained_at": list(one.bucket),
        "cut_away": round(one.lost, 4),
        "enlarged": round(one.scale, 4),
        "caption": one.caption,
        "own_caption": one.own,
        "tokens": one.tokens,
        "repeats": one.repeats,
        "held_out": one.held_out,
        "converted": one.converted,
        "several_frames": one.several,
        "mask": one.mask,
        "sha256": print_.digest if print_ else None,
        "perceptual_hash": f"{print_.hash:016x}" if print_ else None,
        "thumbnail": str(seen.folder / one.thumbnail.name),
    }


def _texts(seen: SeenTexts) -> dict[str, Any]:
    return {
        "kind": "texts",
        "model": seen.model.source if seen.model else None,
        "tokens_read": seen.read,
        "labels": list(seen.labels),
        "trained_on": _part(seen.train, seen),
        "scored_by": {**_part(seen.test, seen), "cut_off": seen.cut},
        "repeated": [
            {
                "text": one.text,
                "trained": one.trained,
                "scored": one.scored,
                "labels": list(one.labels),
            }
            for one in seen.repeated
        ],
    }


def _part(part: TextPart, seen: SeenTexts) -> dict[str, Any]:
    tokens = part.tokens
    return {
        "texts": part.texts,
        "labels": dict(zip(seen.labels, part.counts, strict=True)),
        "tokens": {
            "longest": tokens[0],
            "middle": tokens[len(tokens) // 2],
            "shortest": tokens[-1],
            "longer_than_read": sum(one > seen.read for one in tokens),
        }
        if tokens
        else None,
    }
