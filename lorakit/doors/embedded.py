"""What a picture, a workflow or a text file says of how its picture was drawn."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lorakit.diagnostics import LorakitError, shortened
from lorakit.doors import from_graph, infotext
from lorakit.doors.generations import Generation
from lorakit.doors.graph import graph_of, is_page, is_prompt
from lorakit.facts.pictures.open_picture import words
from lorakit.files import open_regular, parse_json, read_text

_MOST = 64 << 20  # bytes of a workflow
_HEAD = 64


def read(file: Path) -> list[Generation]:
    """What was drawn, of a picture, of JSON, or of A1111's text beside a picture. Raises LorakitError."""
    try:
        with open_regular(file) as opened:
            head = opened.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
        if head.startswith((b"{", b"[")):
            return _of_json(read_text(file, _MOST), str(file))
        if _is_text(head):
            return _of_text(read_text(file, _MOST), file)
    except UnicodeDecodeError as error:
        raise LorakitError(f"{file} is no picture, and no text in UTF-8") from error
    except OSError as error:
        raise LorakitError(
            f"{file} cannot be read: {(error.strerror or str(error)).lower()}"
        ) from error
    return _of_picture(file)


def _is_text(head: bytes) -> bool:
    """Whether a file begins as a text does, and not as pictures do."""
    pictures = (b"\x89PNG", b"\xff\xd8", b"RIFF", b"GIF8", b"BM", b"II*\0", b"MM\0*")
    return not head.startswith(pictures) and b"\0" not in head


def _of_json(text: str, name: str) -> list[Generation]:
    try:
        data = parse_json(text, constants=True)
    except ValueError as error:
        raise LorakitError(f"{name} is no JSON: {error}") from error
    # as it is posted, and as some programs keep it
    if isinstance(data, dict) and not is_prompt(data) and not is_page(data):
        for key in ("prompt", "workflow"):
            if is_prompt(data.get(key)) or is_page(data.get(key)):
                data = data[key]
                break
    try:
        return from_graph.generations(graph_of(data))
    except LorakitError as error:
        raise LorakitError(f"{name}: {error}") from error


def _of_text(text: str, file: Path) -> list[Generation]:
    if not infotext.looks_like_one(text):
        raise LorakitError(
            f"{file} is no picture, no workflow (JSON), and no A1111 text, which ends in Steps: …"
        )
    return [infotext.read(text)]


def _of_picture(file: Path) -> list[Generation]:
    told = words(file, str(file))
    failed: list[str] = []
    for name, text in _candidates(told):
        try:
            if text.lstrip().startswith("{"):
                return _of_json(text, f"{name} of {file}")
            if infotext.looks_like_one(text):
                return [infotext.read(text)]
        except LorakitError as error:
            failed.append(str(error))
    if failed:
        raise LorakitError("\n".join(failed))
    there = ", ".join(sorted(told)[:8])
    has = (
        f"it has {shortened(there)}"
        if there
        else "it has no text at all, which many sites take out"
    )
    raise LorakitError(
        f"{file} does not say how it was drawn: no prompt, workflow or parameters; {has}"
    )


def _candidates(told: dict[str, str]) -> Iterator[tuple[str, str]]:
    """The texts that may say it, the surest first: lorakit's own `prompt` is words and no graph."""
    for name in ("prompt", "workflow", "parameters", "UserComment", "Description", "comment"):
        if name in told:
            yield name, told[name]
