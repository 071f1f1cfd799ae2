"""The user's config, config.yaml of the user's config folder, read once and told of where it is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorakit.diagnostics import Diagnostic, InvalidDocument, Place
from lorakit.files import anywhere, read_text
from lorakit.language.trees import Trees
from lorakit.language.yaml import access, validation
from lorakit.language.yaml.findings import Findings, Unreadable
from lorakit.language.yaml.reader import FolderReader

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

_MOST = 1_000_000  # bytes


def config_path() -> Path:
    """Where the user's config is; it need not exist."""
    import platformdirs

    return platformdirs.user_config_path("lorakit", appauthor=False) / "config.yaml"


class UserConfig:
    """A config file, the user's by default. Raises InvalidDocument where it cannot be understood."""

    def __init__(self, config: Path | None = None) -> None:
        self.path = config or config_path()
        self._lines: list[str] = []
        self._root: Any = None  # YAML's node, which knows where things stand
        self._read = self._loaded() if self.path.is_file() else {}

    def _loaded(self) -> Any:
        import yaml

        try:
            with anywhere():
                text = read_text(self.path, _MOST)
            self._lines = text.splitlines()
            loader = yaml.SafeLoader(text)
            self._root = loader.get_single_node()
            return (loader.construct_document(self._root) if self._root else None) or {}
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
            mark = getattr(error, "problem_mark", None)
            place = Place(str(self.path), mark.line + 1, mark.column + 1) if mark else None
            message = f"your config {self.path} cannot be read"
            raise InvalidDocument([Diagnostic("bad-config", message, place)]) from error

    def value(self, key: str) -> Any:
        """What stands under a key; None where nothing does."""
        return self._read.get(key) if isinstance(self._read, dict) else self._read

    def mapping(self, key: str) -> dict[Any, Any]:
        """What stands under a key, which must be a mapping. Raises InvalidDocument."""
        told = self.value(key)
        if told is not None and not isinstance(told, dict):
            message = f"{key}: must be a mapping"
            raise InvalidDocument([self.wrong((key,), message, f"for example: {key}: {{}}")])
        return told or {}

    def wrong(
        self, keys: Sequence[object], message: str, hint: str, *, key: bool = False
    ) -> Diagnostic:
        """What is wrong with the value that `keys` lead to, or with the last `key`, and a way out."""
        node = self._root
        for one in keys:
            pairs = node.value if getattr(node, "id", "") == "mapping" else ()
            found = [pair for pair in pairs if pair[0].value == str(one)]
            if not found:
                break
            node = found[-1][0 if key and one is keys[-1] else 1]
        if node is None:
            return Diagnostic("bad-config", f"{self.path}: {message}", hints=(hint,))
        start, end = node.start_mark, node.end_mark
        length = end.column - start.column if end.line == start.line else 1
        place = Place(str(self.path), start.line + 1, start.column + 1, max(1, length))
        excerpt = self._lines[start.line] if start.line < len(self._lines) else None
        return Diagnostic("bad-config", message, place, excerpt, (hint,))


def section(
    key: str, schema: str, findings: Findings, path: Path | None = None, name: str = ""
) -> Node | None:
    """What stands under a key of a file, the user's config by default, held against its schema.

    Of a project's file, which has a `name`, the whole is held against its schema. None where there is no such
    file or key, or its text is no YAML: what is wrong stands in the findings.
    """
    reader, file, met = FolderReader(), path or config_path(), Findings()
    if not reader.is_file(file):
        return None
    try:
        with anywhere():
            tree = Trees(reader, met).tree(file)
    except Unreadable:
        # a config of comments alone says nothing
        findings.all += [one for one in met.all if name or one.code != "empty-document"]
        return None
    findings.all += met.all
    if name:
        validation.check(tree, schema, findings, name)
    elif not isinstance(tree.value, dict | None):
        findings.error("bad-config", "a config must be a mapping", tree)
    node = access.child(tree, key)
    if node is not None and not name:
        validation.check(node, schema, findings, key, key)
    return node
