"""Bad documents and what is said of them.

Each `<code>/<case>.yaml`, and each folder `<code>/<case>/` with a `main.yaml`, has a golden text beside it.
A first comment line may hold options: `# --set seed=x`, `# --profile gpu`.

    python tests/corpus/corpus.py            writes every golden anew: read the diff with your own eyes
"""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

from lorakit.diagnostics import Diagnostic, InvalidDocument, render_text
from lorakit.language import FolderReader, load

HERE = Path(__file__).resolve().parent
ROOTS = {"art": HERE / "art-root"}


class CorpusReader(FolderReader):
    """Takes a code's folder for the project, and names files as if the corpus were all there is."""

    def __init__(self, project: Path) -> None:
        super().__init__()
        self._project = project

    def exists(self, path: Path) -> bool:
        if path.name in {".git", ".lorakit"}:
            return path.parent == self._project
        return super().exists(path)

    def display(self, path: Path) -> str:
        return self.resolve(path).relative_to(self._project).as_posix()


def cases() -> list[Path]:
    """Every document of the corpus, by the file that is loaded."""
    single = [path for path in HERE.glob("*/*.yaml") if path.name != "main.yaml"]
    return sorted([*single, *HERE.glob("*/*/main.yaml")])


def golden(case: Path) -> Path:
    """Where a case's text stands."""
    return case.parent.with_suffix(".txt") if case.name == "main.yaml" else case.with_suffix(".txt")


def name(case: Path) -> str:
    """A case's name: code/case."""
    return golden(case).relative_to(HERE).with_suffix("").as_posix()


def found(case: Path) -> tuple[Diagnostic, ...]:
    """All that is said of a case."""
    first = case.read_bytes().split(b"\n", 1)[0].decode("utf-8", "replace").lstrip("\ufeff# ")
    words = shlex.split(first) if first.startswith("--") else []
    settings = [words[at + 1] for at, word in enumerate(words) if word == "--set"]
    profiles = [words[at + 1] for at, word in enumerate(words) if word == "--profile"]
    project = HERE / case.relative_to(HERE).parts[0]
    try:
        loaded = load(
            case,
            settings=settings,
            profile=profiles[0] if profiles else None,
            reader=CorpusReader(project),
            roots=ROOTS,
        )
    except InvalidDocument as error:
        return error.diagnostics
    return loaded.warnings


def text(case: Path) -> str:
    """The same as an author reads it; the place of the checkout is not part of it."""
    rendered = render_text(found(case))
    return rendered.replace(HERE.as_posix(), "/corpus") + "\n"


def main() -> None:
    for case in cases():
        golden(case).write_text(text(case), encoding="utf-8", newline="\n")
    expected = {golden(case) for case in cases()}
    for stray in set(HERE.glob("*/*.txt")) - expected:
        stray.unlink()
    print(f"{len(cases())} documents")


if __name__ == "__main__":
    sys.exit(main())
