"""A run folder's pictures of what is on its way."""

from __future__ import annotations

from pathlib import Path

from lorakit.execute.run_folder import PREVIEWS, RunFolder


def test_the_newest_previews_stand_there_while_the_run_goes_on(tmp_path: Path) -> None:
    """The last but one as well: somebody may be about to open it."""
    folder = RunFolder.create(tmp_path, "a film")
    names = [folder.show("render", f"picture {n}".encode()) for n in range(5)]
    names.append(folder.show("render 2", b"another's"))
    assert len({*names}) == 6
    there = {f"{PREVIEWS}/{path.name}" for path in (folder.path / PREVIEWS).iterdir()}
    assert there == {*names[3:]}
    assert (folder.path / names[4]).read_bytes() == b"picture 4"
    folder.close()
    assert not (folder.path / PREVIEWS).exists()


def test_a_folder_that_is_gone_shows_nothing(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "a film")
    (folder.path / PREVIEWS).write_text("a file in its place")
    assert folder.show("render", b"picture") == ""
    folder.close()
