"""Where the paths of documents lead: relative to their file, inside the project or a named root."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit import resources
from lorakit.files import YAML_ENDINGS
from lorakit.language.yaml import names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node
    from lorakit.language.yaml.reader import Reader

# two letters at least: c:\models is a drive
_ROOTED = re.compile(r"([a-z][a-z0-9_]+):(?!//)(.*)\Z", re.DOTALL)
CONFIG = "your user config (on Linux ~/.config/lorakit/config.yaml)"
# first parts of paths that no account on a hub is called
_FOLDERS = ("", ".", "..", "~", "models", "model", "checkpoints", "weights", "data", "loras")


class Paths:
    """Resolves the paths of one project's documents."""

    def __init__(self, reader: Reader, root: Path, roots: Mapping[str, Path]) -> None:
        self.reader = reader
        self.root = root
        self._roots = roots

    def resolve(self, node: Node, findings: Findings) -> Path | None:
        """The absolute path that a node's text means; None, with the reason found, if it may not be used."""
        text = node.value
        assert isinstance(text, str)
        if "\0" in text:
            return None
        rooted = _ROOTED.match(text)
        if rooted:
            return self._under_root(node, rooted[1], rooted[2], findings)
        written = Path(text)
        try:
            path = written.expanduser() if text.startswith("~") else written
        except RuntimeError:
            path = written
        target = self.reader.resolve(node.source.path.parent / path)
        if not target.is_relative_to(self.root) and not _ships_with_lorakit(target):
            self._outside(node, target, findings)
            return None
        return target

    def file(
        self, node: Node, what: str, findings: Findings, *, folder_too: bool = False
    ) -> Path | None:
        """The same, for a file that must be there."""
        assert isinstance(node.value, str)
        if "://" in node.value:
            message = f"a {what} is not fetched from an address"
            findings.error("wrong-form", message, node, "download it and give its path")
            return None
        path = self.resolve(node, findings)
        if path is None:
            return None
        there = self.reader.exists(path) if folder_too else self.reader.is_file(path)
        if not there:
            self._missing(node, what, path, findings)
            return None
        return path

    def _under_root(self, node: Node, name: str, rest: str, findings: Findings) -> Path | None:
        if name not in self._roots:
            findings.error(
                "unknown-root",
                f"no root is called {name}",
                node,
                names.did_you_mean(name, self._roots, "{}:"),
                f"roots stand in {CONFIG}: roots: {{{name}: /path/to/a/folder}}",
            )
            return None
        root = self.reader.resolve(self._roots[name].expanduser())
        target = self.reader.resolve(root / rest)
        if not target.is_relative_to(root):
            findings.error(
                "outside-root",
                f"the path leaves its root {name}, which is {root.as_posix()}",
                node,
                self._by_root(target)
                or f"a root's folder may be a wider one: it stands in {CONFIG}",
            )
            return None
        return target

    def _by_root(self, target: Path) -> str:
        """How a document names a file below a root that its user has already; empty where none holds it."""
        for name, folder in self._roots.items():
            root = self.reader.resolve(folder.expanduser())
            if target != root and target.is_relative_to(root):
                return (
                    f"it is in your root {name}: write {name}:{target.relative_to(root).as_posix()}"
                )
        return ""

    def _outside(self, node: Node, target: Path, findings: Findings) -> None:
        way = self._by_root(target)
        if way:
            message = f"the path leaves the project, which is {self.root.as_posix()}"
            findings.error("outside-root", message, node, way)
            return
        folder = target.parent
        name = re.sub(r"[^a-z0-9]+", "_", folder.name.casefold()).strip("_")
        name = name if re.match(r"[a-z][a-z0-9_]+\Z", name) else "shared"
        findings.error(
            "outside-root",
            f"the path leaves the project, which is {self.root.as_posix()}",
            node,
            f"name the folder in {CONFIG}, roots: {{{name}: {folder.as_posix()}}}, "
            f"and write {name}:{target.name}",
            "or mark the folder that holds both as the project: an empty folder .lorakit in it is enough",
        )

    def _missing(self, node: Node, what: str, path: Path, findings: Findings) -> None:
        shown = self.reader.display(path)
        if self.reader.exists(path):
            message = f"{shown} is a folder or a pipe, and no {what}"
            findings.error("missing-file", message, node, "name the file that is meant")
            return
        near = self._other_ending(node, what, path) or self._near(node, what, path)
        hint = "paths count from the folder of the document they stand in"
        if near:
            hint = f"did you mean {near}?"
        if near == node.value:  # its folder has it, and it is not there
            hint = "it is a link that leads nowhere, or back to itself"
        owner, _, name = str(node.value).partition("/")
        if what == "model" and name and "/" not in name and owner not in _FOLDERS:
            hint = f"if it is on the Hugging Face hub, write hub:{node.value}"
        elif node.value == "studio":
            hint = "the model that ships with lorakit is lorakit:studio"
        findings.error("missing-file", f"there is no {what} at {shown}", node, hint)

    def _other_ending(self, node: Node, what: str, path: Path) -> str:
        """How a document would name the file of that name with another ending; empty where there is none."""
        found = ""
        for suffix in YAML_ENDINGS if what == "storyboard" else (".safetensors",):
            if self.reader.is_file(path.with_name(path.name + suffix)):
                found = f"{node.value}{suffix}"
            elif path.suffix in YAML_ENDINGS and self.reader.is_file(path.with_suffix(suffix)):
                found = f"{str(node.value).removesuffix(path.suffix)}{suffix}"
        return found

    def _near(self, node: Node, what: str, path: Path) -> str:
        """How a document would name the neighbour that a missing file's name is nearest to; maybe empty."""
        text, document = str(node.value), self.reader.resolve(node.source.path)
        if not text.endswith(path.name):
            return ""  # . or .. or nothing
        endings = (
            YAML_ENDINGS if path.suffix.casefold() in YAML_ENDINGS else (path.suffix.casefold(),)
        )
        folders = [path.parent]
        if what == "storyboard":
            home = document.parent
            folders += [home, home / "storyboards", home.parent / "storyboards"]
        for folder in dict.fromkeys(folders):
            if not folder.is_relative_to(self.root) and folder != path.parent:
                continue
            files = [Path(name) for name in self.reader.names(folder) if folder / name != document]
            # by their stems: one ending would make any two names look alike
            stems = {f.stem: f.name for f in reversed(files) if f.suffix.casefold() in endings}
            nearest = names.nearest(path.stem, [stem for stem in stems if not stem.startswith(".")])
            if nearest is None:
                continue
            if folder == path.parent:
                return text.removesuffix(path.name) + stems[nearest]
            return Path(os.path.relpath(folder / stems[nearest], document.parent)).as_posix()
        return ""


def _ships_with_lorakit(path: Path) -> bool:
    return any(
        path.is_relative_to(resources.path(name)) for name in ("recipes", "storyboards", "data")
    )
