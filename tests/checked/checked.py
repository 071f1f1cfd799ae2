"""Documents that read well and cannot be made, and what is said of them: the corpus of planning.

Each folder `<code>/<case>/` has a `main.yaml`, and a golden text beside it; `files.json` says what is written
beside the document before it is checked, as {path: text, or [width, height] of a picture}.

    python tests/checked/checked.py            writes every golden anew: read the diff with your own eyes
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from lorakit.diagnostics import Diagnostic, InvalidDocument, render_text

HERE = Path(__file__).resolve().parent


def cases() -> list[Path]:
    """Every case's document."""
    return sorted(HERE.glob("*/*/main.yaml"))


def golden(case: Path) -> Path:
    """Where a case's text stands."""
    return case.parent.with_suffix(".txt")


def name(case: Path) -> str:
    """A case's name: code/case."""
    return case.parent.relative_to(HERE).as_posix()


@contextlib.contextmanager
def _laid_out(case: Path) -> Iterator[Path]:
    """A project of its own with the case's files, as the current folder."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place).resolve()
        (home / ".lorakit").mkdir()
        shutil.copyfile(case, home / "main.yaml")
        files = case.with_name("files.json")
        for path, content in json.loads(files.read_text("utf-8")).items() if files.exists() else ():
            target = home / path
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                target.write_text(content, encoding="utf-8")
            else:
                from PIL import Image

                Image.new("RGB", tuple(content), "navy").save(target)
        os.chdir(home)
        try:
            yield home
        finally:
            os.chdir(before)


def found(case: Path) -> tuple[tuple[Diagnostic, ...], str]:
    """All that is said of a case, and where it stood."""
    from lorakit.session import load

    with _laid_out(case) as home:
        try:
            return load("main.yaml").check(), home.as_posix()
        except InvalidDocument as error:
            return error.diagnostics, home.as_posix()


def text(case: Path) -> str:
    """The same as an author reads it; the place of the project is not part of it."""
    diagnostics, home = found(case)
    return render_text(diagnostics).replace(home, "/project") + "\n"


def main() -> None:
    os.environ |= {"HF_HUB_OFFLINE": "1", "LORAKIT_DEVICE": "cpu", "LORAKIT_FONTS": ""}
    for case in cases():
        golden(case).write_text(text(case), encoding="utf-8", newline="\n")
    for stray in set(HERE.glob("*/*.txt")) - {golden(case) for case in cases()}:
        stray.unlink()
    print(f"{len(cases())} documents")


if __name__ == "__main__":
    sys.exit(main())
