"""Commands that write where nothing can be written: a full disk, a disk that may only be read."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from tests.attack.commands import lorakit
from tests.attack.test_ends import told
from tests.support.past_runs import film

BOARD = (
    "storyboard: 1\nvideo: {fps: 4, hold: 0.5, height: 64}\nscenes:\n  - text: A fox finds a key.\n"
)
WRITING = [
    ["bundle", "1", "--out", "b.zip"],
    ["report", "1"],
    *(["export", "board", "b.yaml", "--format", style] for style in ("csv", "srt", "pdf")),
    ["export", "workflow", "b.yaml"],
    ["init", "new"],
    ["lock", "b.yaml"],
    ["import", "comfyui", "a.png"],
    ["runs", "keep", "1"],
]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mounts")


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A disk of 2 MB with a project that has run; the current folder is in it."""
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=2m", "none", str(place)]
    if subprocess.run(words, capture_output=True, check=False).returncode:
        pytest.skip("no disk may be mounted here")
    project = place / "project"
    (project / ".lorakit").mkdir(parents=True)
    film(project / "outputs" / "story" / "001", 1, 2)
    (project / "b.yaml").write_text(BOARD)
    words_of_a1111 = PngImagePlugin.PngInfo()
    words_of_a1111.add_text("parameters", "a fox\nSteps: 4, Seed: 1")
    Image.new("RGB", (8, 8)).save(project / "a.png", pnginfo=words_of_a1111)
    monkeypatch.chdir(project)  # and back at the end, when the disk is gone
    yield project
    os.chdir("/")
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("way", ["full", "read-only"])
def test_what_cannot_be_written_is_told_with_a_way_out(disk: Path, way: str) -> None:
    if way == "full":
        with (
            (disk.parent / "ballast").open("wb", buffering=0) as file,
            contextlib.suppress(OSError),
        ):
            while file.write(bytes(4096)):
                pass
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(disk.parent)], check=True)
    before = sorted(disk.rglob("*"))
    for words in WRITING:
        said = lorakit(*words)
        told(said.text)
        if way == "full" and words[0] == "runs":  # an empty file takes no room
            continue
        assert said.code == 1, (words, said.text)
        ways = {"full": "free some space", "read-only": "copy the project to a disk"}
        assert ways[way] in said.text, (words, said.text)
    left = {path.name for path in disk.rglob("*") if path not in before and path.is_file()}
    assert not {name for name in left if name.endswith(".tmp")}
