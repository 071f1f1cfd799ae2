"""A story of ViStoryBench (Zhuang et al. 2025, arXiv 2505.24862), as its data set has it.

A folder called by the story's number has `story.json` and, in `image/CHARACTER/`, pictures of who appears.
Keys, and what is passed over, are those of the benchmark's own loader (`dataset_loader/dataset_load.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from lorakit.diagnostics import InvalidDocument, LorakitError, shortened
from lorakit.doors.bench_story import BenchStory, StoryCharacter, StoryShot
from lorakit.files import check_root, parse_json
from lorakit.language import FolderReader
from lorakit.language.yaml import source as sources
from lorakit.language.yaml.findings import Findings, Unreadable
from lorakit.language.yaml.nodes import Node, Source, Spot

FILE, PICTURES = "story.json", "image"
LANGUAGES = ("en", "ch")
PLOT, SETTING = "Plot Correspondence", "Setting Description"
CAMERA, APPEARING = "Shot Perspective Design", "Characters Appearing"
DESCRIPTION = "Static Shot Description"
_TEXTS = (PLOT, SETTING, CAMERA, DESCRIPTION)
_ENDINGS = (".png", ".jpg", ".jpeg")
_MOST_PICTURES = 10_000  # of a character, looked at
_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_Path = tuple[str | int, ...]


def folders(source: Path) -> list[Path]:
    """The folders of stories that `source` means: itself, its `story.json`'s, or those in the data set.

    Raises LorakitError where there is none.
    """
    if source.name == FILE:
        return [source.absolute().parent]
    if (source / FILE).is_file():
        return [source]
    try:
        # what the benchmark takes for stories: folders whose name is a number
        inside = [one for one in source.iterdir() if is_number(one.name) and one.is_dir()]
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise LorakitError(f"{source} cannot be read: {why}") from error
    if not inside:
        raise LorakitError(
            f"{source} has no {FILE}, and no folders called by numbers (01, 02, …) that have one: "
            "name a story's folder, or the data set's"
        )
    return sorted(inside, key=lambda one: (int(one.name), one.name))


def is_number(name: str) -> bool:
    """Whether a story may be called so: the benchmark knows stories by numbers, as 01."""
    return name.isascii() and name.isdecimal() and len(name) <= 9


def read(folder: Path, language: str) -> BenchStory:
    """The story in a folder, in `en` or `ch`. Raises InvalidDocument with all that is wrong, LorakitError."""
    id_ = folder.resolve().name
    if not is_number(id_):
        raise LorakitError(
            f"{folder} is not called by its story's number, as the data set's folders are (01, 02, …): "
            "rename it"
        )
    return _Reading(folder, language).story()


class _Reading:
    """One story while it is read. Values are JSON's; the tree of the text says where they stand."""

    def __init__(self, folder: Path, language: str) -> None:
        self.folder = folder
        self.language = language
        self.findings = Findings()
        file = folder / FILE
        try:
            self.source = sources.read(FolderReader(), file, self.findings)
        except Unreadable as error:
            raise InvalidDocument(self.findings.all) from error
        try:
            self.data: Any = parse_json(self.source.text)
        except ValueError as error:
            raise LorakitError(f"{self.source.name} is no JSON: {error}") from error
        self._tree: Node | None = None

    def story(self) -> BenchStory:
        """All of it."""
        if not isinstance(self.data, dict):
            self._wrong((), "a story is an object with Characters and Shots")
            raise InvalidDocument(self.findings.all)
        characters = tuple(self._characters())
        shots = tuple(self._shots({one.key for one in characters}))
        if self.findings:
            raise InvalidDocument(self.findings.all)
        if not shots:
            self._wrong(("Shots",), "the story has no shots")
            raise InvalidDocument(self.findings.all)
        return BenchStory(self.folder.resolve().name, characters, shots, tuple(self.findings.all))

    def _characters(self) -> Iterator[StoryCharacter]:
        found = self.data.get("Characters", {})
        if not isinstance(found, dict):
            self._wrong(("Characters",), "Characters is an object, a key for each")
            return
        for key, told in found.items():
            at: _Path = ("Characters", key)
            if not isinstance(told, dict):
                self._wrong(at, f"{key} is an object with name_{self.language} and the like")
                continue
            name = told.get(f"name_{self.language}")
            prompt = self._text(told, f"prompt_{self.language}", at, f"character {key}")
            pictures = tuple(self._pictures(key))
            if not pictures:
                self._warn(
                    at,
                    "no-picture",
                    f"character {key} has no picture in {PICTURES}/{key}, so it is told in words alone",
                    "the benchmark scores a story only where all of its characters have .jpg pictures",
                )
            if prompt is not None:
                known = name.strip() if isinstance(name, str) else ""
                yield StoryCharacter(key, known or key, prompt, pictures)

    def _pictures(self, key: str) -> Iterator[Path]:
        """The pictures of a character, in the loader's order; a key that is a path names none."""
        if Path(key).name != key or key in (".", ".."):
            return
        folder = self.folder / PICTURES / key
        below = sorted(folder.rglob("*"))[:_MOST_PICTURES] if folder.is_dir() else []
        yield from (one for one in below if one.suffix.lower() in _ENDINGS and _is_ours(one))

    def _shots(self, known: set[str]) -> Iterator[StoryShot]:
        found = self.data.get("Shots")
        if not isinstance(found, list):
            self._wrong(("Shots",), "the story has no Shots, a list of them")
            return
        taken: dict[int, int] = {}
        for number, told in enumerate(found):
            at: _Path = ("Shots", number)
            if not isinstance(told, dict):
                self._wrong(at, f"a shot is an object with {', '.join((*_TEXTS, APPEARING))}")
                continue
            index = self._index(told, at)
            missing = [key for key in (*_TEXTS, APPEARING) if key not in told]
            if missing:
                which = number + 1 if index is None else index
                self._warn(
                    at,
                    "missing",
                    f"shot {which} has no {', '.join(missing)}, so it is left out",
                    "the benchmark leaves it out as well",
                )
                continue
            texts = [self._said(told, key, at, str) for key in _TEXTS]
            appearing = self._appearing(told, at, known)
            if index is None or None in texts or appearing is None:
                continue
            if index in taken:
                self._wrong((*at, "index"), f"there are two shots {index}")
            taken[index] = number
            plot, setting, camera, description = (text.strip() for text in texts if text)
            if not plot and not description:
                self._wrong((*at, PLOT), f"shot {index} says nothing")
                continue
            yield StoryShot(index, plot, setting, camera, description, appearing)

    def _index(self, told: dict[str, Any], at: _Path) -> int | None:
        index = told.get("index")
        if isinstance(index, str) and index.strip().isdecimal():
            index = int(index)
        if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < 10_000:
            return index
        if "index" in told:
            self._wrong((*at, "index"), "a shot's index is a number from 0 on")
        else:
            self._wrong(at, "the shot has no index, by which its picture is scored")
        return None

    def _appearing(
        self, told: dict[str, Any], at: _Path, known: set[str]
    ) -> tuple[str, ...] | None:
        """Keys of those who are seen: their English names, whatever the language."""
        names = told[APPEARING].get("en") if isinstance(told[APPEARING], dict) else None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            self._wrong(
                (*at, APPEARING), f'{APPEARING} is an object with a list of names under "en"'
            )
            return None
        keys = []
        for number, name in enumerate(names):
            key = name.strip()
            if key in known:
                keys.append(key)
            elif key not in self.data.get("Characters", {}):
                place = (*at, APPEARING, "en", number)
                words = f"{shortened(key)} appears and is none of the Characters, so it is left out"
                self._warn(place, "unknown-character", words)
        return tuple(dict.fromkeys(keys))

    def _said(self, told: dict[str, Any], key: str, at: _Path, kind: type) -> Any:
        """What a shot says under a key in the language."""
        value = told[key]
        if isinstance(value, dict) and isinstance(value.get(self.language), kind):
            return value[self.language]
        there = [one for one in LANGUAGES if isinstance(value, dict) and one in value]
        hint = f"it is there in {there[0]}: --language {there[0]}" if there else ""
        self._wrong((*at, key), f'{key} has no text under "{self.language}"', hint)
        return None

    def _text(self, told: dict[str, Any], key: str, at: _Path, whose: str) -> str | None:
        value = told.get(key)
        if isinstance(value, str) and value.strip():
            return value.strip()
        words = f"{whose} has no {key}, the words for how it looks"
        self._wrong((*at, key) if key in told else at, words)
        return None

    def _wrong(self, at: _Path, words: str, *hints: str) -> None:
        self.findings.error("vistory", words, self._spot(at), *hints)

    def _warn(self, at: _Path, code: str, words: str, *hints: str) -> None:
        self.findings.warning(code, words, self._spot(at), *hints)

    def _spot(self, at: Sequence[str | int]) -> Spot:
        """Where a value's key stands, or an item; of what is not there, what it is missing in."""
        node = self._root()
        spot = node.spot if node else self.source.spot(1, 1)
        for part in at:
            value = node.value if node else None
            if isinstance(value, dict) and part in value:
                assert node is not None
                spot, node = node.key_spot(str(part)), value[str(part)]
            elif isinstance(value, list) and isinstance(part, int) and part < len(value):
                node = value[part]
                spot = node.spot
            else:
                break
        return spot

    def _root(self) -> Node | None:
        """JSON as YAML reads it, which knows lines; halves of letters, which it does not read, are joined."""
        if self._tree is None:
            text = _PAIR.sub(_joined, self.source.text)
            same = Source(self.source.path, self.source.name, text)
            try:
                self._tree = sources.compose(same, Findings())
            except Unreadable:
                return None
        return self._tree


def _joined(pair: re.Match[str]) -> str:
    r"""A pair as `\ud83d\ude00` in one escape, with blanks so that columns stay as they are."""
    high, low = int(pair[0][2:6], 16), int(pair[0][8:12], 16)
    return f"\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}  "


def _is_ours(picture: Path) -> bool:
    """Whether it is a file that may be read."""
    try:
        check_root(picture)
        return picture.is_file()
    except OSError:
        return False
