"""The store believes nothing it finds: damaged and forged objects, manifests, journals.

A few bytes are flipped here, one at a time with a run after each; `tests/soak` flips a thousand.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from lorakit.store import sealed, seen
from tests.attack.commands import lorakit
from tests.attack.stored import files, object_of
from tests.support.runs import Ran, run

FLIPS = 6


def flip(path: Path, at: int | None = None, bit: int = 1) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= bit
    path.write_bytes(bytes(data))


def test_a_flipped_byte_in_kept_latents_is_mended_by_force(home: Path, made: Ran) -> None:
    """The attack as it was made: frames 2 and 3, sheet and film were wrong and stayed cached, exit 0."""
    flip(object_of(home, made, "film/meadow/1/latents"))
    again = run(home, "--force", "film/meadow")
    assert again.code == 0
    assert files(again) == files(made)
    assert files(run(home)) == files(made)


@pytest.mark.parametrize(
    "output", ["film/meadow/2/picture", "film/contact-sheet/sheet", "film/film/film"]
)
def test_a_damaged_output_is_made_again(home: Path, made: Ran, output: str) -> None:
    known = files(made)
    flip(object_of(home, made, output))
    assert "1 new" in lorakit("plan").text  # a plan sees it, and does not call it cached
    again = run(home)
    assert again.code == 0
    assert len(again.made()) == 1
    assert files(again) == known
    assert object_of(home, made, output).read_bytes() == next(
        path.read_bytes()
        for path in made.folder.parents[2].glob(f".lorakit/objects/??/{known[output][2:]}")
    )


def test_both_damaged_outputs_of_one_action_are_made_again(home: Path, made: Ran) -> None:
    for output in ("picture", "latents"):
        flip(object_of(home, made, f"film/meadow/2/{output}"))
    assert files(run(home)) == files(made)
    for output in ("picture", "latents"):
        whole = object_of(made.folder.parents[2], made, f"film/meadow/2/{output}")
        assert object_of(home, made, f"film/meadow/2/{output}").read_bytes() == whole.read_bytes()


def test_a_damaged_file_whose_times_were_put_back_is_noticed(home: Path, made: Ran) -> None:
    path = object_of(home, made, "film/meadow/2/picture")
    assert run(home).finished["made"] == 0  # everything is remembered as verified
    before = path.stat()
    flip(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    again = run(home)
    assert again.made() == ["film/meadow/2"]
    assert files(again) == files(made)


def test_verify_reads_everything_and_trusts_no_memory(home: Path, made: Ran) -> None:
    """A disk that lost a byte without any time changing: the memory says that all is well."""
    path = object_of(home, made, "film/meadow/2/latents")
    assert run(home).finished["made"] == 0
    flip(path)
    memory = home / ".lorakit" / "verified.json"
    # a machine so quick that all was copied just now has remembered nothing yet
    known = sealed.read(memory) if memory.exists() else {}
    assert isinstance(known, dict)
    digest = path.parent.name + path.name
    known[digest] = [*seen.identity(path.stat()), digest]
    sealed.write(memory, known)
    assert run(home, "--verify").code == 0
    assert (
        not path.exists()
        or path.read_bytes()
        == object_of(made.folder.parents[2], made, "film/meadow/2/latents").read_bytes()
    )
    again = run(home, "--force", "film/meadow/3")
    assert files(again) == files(made)


def test_a_link_in_an_objects_place_is_no_object(home: Path, made: Ran, tmp_path: Path) -> None:
    path = object_of(home, made, "film/meadow/2/picture")
    elsewhere = tmp_path / "elsewhere"
    path.replace(elsewhere)
    path.symlink_to(elsewhere)
    again = run(home)
    assert again.made() == ["film/meadow/2"]
    assert elsewhere.exists()
    assert not path.is_symlink()


def unchecked(path: Path) -> dict[str, object]:
    """A manifest without its check, as they were before there was one: what it says is looked at all the same."""
    manifest = json.loads(path.read_text())
    assert manifest.pop("check")
    return manifest  # type: ignore[no-any-return]


def _forge(
    change: Callable[[dict[str, dict[str, object]]], None],
) -> Callable[[dict[str, object]], object]:
    def forged(manifest: dict[str, object]) -> object:
        change(manifest["outputs"])  # type: ignore[arg-type]
        return manifest

    return forged


def _with_digest(digest: object) -> Callable[[dict[str, object]], object]:
    def change(outputs: dict[str, dict[str, object]]) -> None:
        for output in outputs.values():
            output["digest"] = digest

    return _forge(change)


def _with_size(size: object) -> Callable[[dict[str, object]], object]:
    def change(outputs: dict[str, dict[str, object]]) -> None:
        for output in outputs.values():
            output["size"] = size

    return _forge(change)


def _without(name: str) -> Callable[[dict[str, object]], object]:
    return lambda manifest: {k: v for k, v in manifest.items() if k != name}


def _with(name: str, value: object) -> Callable[[dict[str, object]], object]:
    return lambda manifest: {**manifest, name: value}


FORGERIES: dict[str, Callable[[dict[str, object]], object]] = {
    "digest is a path": _with_digest("zz/{victim}"),
    "digest is a short path": _with_digest("../../../{victim}"),
    "digest is a number": _with_digest(7),
    "digest is null": _with_digest(None),
    "digest is a list": _with_digest(["ab"]),
    "digest is a dict": _with_digest({}),
    "digest is too short": _with_digest("ab" * 31),
    "digest is in capitals": _with_digest("AB" * 32),
    "digest ends a line": _with_digest("ab" * 32 + "\n"),
    "digest is empty": _with_digest(""),
    "size is a text": _with_size("1"),
    "size is negative": _with_size(-1),
    "size is a truth": _with_size(True),
    "size is enormous": _with_size(10**400),
    "key is another": _with("key", "ab" * 32),
    "key is missing": _without("key"),
    "params are a list": _with("params", []),
    "inputs are null": _with("inputs", None),
    "an input is a path": _with("inputs", {"start": "zz/{victim}"}),
    "outputs are a list": _with("outputs", []),
    "there are no outputs": _with("outputs", {}),
    "an output is null": _with("outputs", {"picture": None}),
    "environment is a text": _with("environment", "torch"),
    "an environment is a number": _with("environment", {"torch": 2}),
    "seconds are a text": _with("seconds", "long"),
    "seconds are infinite": _with("seconds", 1e999),
    "there is something else": _with("more", 1),
    "it is a list": lambda _: [],
    "it is null": lambda _: None,
    "it is a number": lambda _: 1,
}


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES)
def test_a_forged_manifest_is_none(
    forge: Callable[[dict[str, object]], object], home: Path, made: Ran, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("not of the store")
    for path in (home / ".lorakit" / "actions").glob("*/*.json"):
        text = json.dumps(forge(unchecked(path)))
        path.write_text(text.replace("{victim}", str(victim)[1:]))
    said = lorakit("plan")
    assert said.code == 0, said.text
    assert " 0 cached" in said.text
    assert victim.read_text() == "not of the store"


def test_one_bit_of_a_digest_that_nobody_needs_is_noticed(home: Path, made: Ran) -> None:
    """The soak's flip 297: the last frame's latents had another digest in what the next run told."""
    name = "film/meadow/3/latents"
    known = files(made)[name]
    for path in (home / ".lorakit" / "actions").glob("*/*.json"):
        path.write_text(
            path.read_text().replace(known, known[:3] + "0123"[known[3] == "0"] + known[4:])
        )
    again = run(home)
    assert again.made() == ["film/meadow/3"]
    assert files(again) == files(made)


def test_a_run_over_forged_manifests_deletes_nothing_and_makes_all_again(
    home: Path, made: Ran, tmp_path: Path
) -> None:
    victim = tmp_path / "victim"
    victim.write_text("not of the store")
    for path in (home / ".lorakit" / "actions").glob("*/*.json"):
        text = json.dumps(_with_digest(f"zz/{victim}")(unchecked(path)))
        path.write_text(text)
    again = run(home)
    assert again.code == 0
    assert again.finished["cached"] == 0
    assert files(again) == files(made)
    assert victim.read_text() == "not of the store"


@pytest.mark.parametrize(
    "text", [b"", b"\xff\xfe", b"[" * 200_000, b'{"a":' * 200_000, b"1" * 6000]
)
def test_no_text_in_place_of_a_manifest_or_journal_ends_a_plan(home: Path, text: bytes) -> None:
    for path in (home / ".lorakit").rglob("*.json"):
        path.write_bytes(text)
    said = lorakit("plan")
    assert said.code == 0, said.text
    assert " 0 cached" in said.text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_in_place_of_an_object_manifest_or_journal_is_not_waited_for(home: Path) -> None:
    for path in [p for p in (home / ".lorakit").rglob("*") if p.is_file() and p.suffix != ".lock"]:
        path.unlink()
        os.mkfifo(path)
    said = lorakit("plan")
    assert said.code == 0, said.text
    assert " 0 cached" in said.text


def test_scratch_of_others_in_a_linked_store_is_left_alone(home: Path) -> None:
    """A cloned `.lorakit` may be a link to any folder: nothing goes there that is not called as ours are."""
    for name in ("mine.lock", "notes.lock"):
        (home / ".lorakit" / "tmp" / name).touch()
        (home / ".lorakit" / "tmp" / name.removesuffix(".lock")).mkdir()
    assert run(home).code == 0
    assert (home / ".lorakit" / "tmp" / "mine").is_dir()


@pytest.mark.parametrize("part", ["objects", "tmp"])
def test_a_linked_folder_inside_the_store_is_refused(home: Path, tmp_path: Path, part: str) -> None:
    folder = home / ".lorakit" / part
    if folder.exists():
        folder.rename(tmp_path / part)
    else:
        (tmp_path / part).mkdir()
    folder.symlink_to(tmp_path / part)
    done = run(home)
    assert done.code == 1
    assert "is a link: remove it" in done.errors


def _attempts() -> list[object]:
    return [n if n < 2 else pytest.param(n, marks=pytest.mark.slow) for n in range(FLIPS)]


@pytest.mark.parametrize("attempt", _attempts())
def test_any_flipped_byte_ends_in_equal_bytes(home: Path, made: Ran, attempt: int) -> None:
    """One byte of one file of the store, chosen by chance; never a wrong `cached`."""
    chance = random.Random(attempt)
    whole = files(made)
    every = sorted(
        p
        for p in (home / ".lorakit").rglob("*")
        if p.is_file() and p.stat().st_size and p.suffix != ".lock"
    )
    path = chance.choice(every)
    flip(path, chance.randrange(path.stat().st_size), 1 << chance.randrange(8))
    done = run(home)
    assert done.code == 0, (path, done.errors)
    assert files(done) == whole, path
