"""Models of the hub: what is fetched of them, what of a cache is used, and what an error means."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lorakit.diagnostics import Place
from lorakit.facts.files.digests import Digests
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.model_lookup import model_facts
from lorakit.language.recipe.documents import ModelSource
from tests.support import published
from tests.support.hub_server import COMMIT, Hub, serving

_ASK = """
import json, sys
from lorakit.diagnostics import Place
from lorakit.facts.files.digests import Digests
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.model_lookup import model_facts
from lorakit.language.recipe.documents import ModelSource
source = ModelSource("m", sys.argv[1], "auto", Place("recipe.yaml", 1, 1))
try:
    found = model_facts(source, Digests(None), download=True)
    print(json.dumps({"path": str(found.path), "weight_bytes": found.weight_bytes}))
except ModelError as error:
    print(json.dumps({"error": str(error), "hints": error.hints}))
"""


def ask(cache: Path, source: str, **environment: str) -> dict[str, object]:
    """What a process with a network finds: the hub's library reads its settings once."""
    settings = {
        **os.environ,
        "HF_HUB_CACHE": str(cache),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "NO_PROXY": "127.0.0.1",
        **environment,
    }
    done = subprocess.run(
        [sys.executable, "-c", _ASK, source],
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


def cached(cache: Path, folder: Path, listing: Path | None = None) -> Path:
    """A repository in the hub's cache, with the whole list of its files if `listing` has them."""
    home = cache / "models--someone--model"
    snapshot = home / "snapshots" / COMMIT
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            blob = home / "blobs" / file.relative_to(folder).as_posix().replace("/", "-")
            blob.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, blob)
            link = snapshot / file.relative_to(folder)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(blob)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(COMMIT)
    if listing is not None:
        from huggingface_hub._tree_cache import TreeCacheEntry, write_tree_cache

        entries = {
            file.relative_to(listing).as_posix(): TreeCacheEntry(
                size=file.stat().st_size,
                blob_id="0" * 40,
                lfs_sha256=None,
                lfs_size=None,
                xet_hash=None,
            )
            for file in listing.rglob("*")
            if file.is_file()
        }
        write_tree_cache(str(home), COMMIT, entries)
    return snapshot


def offline(cache: Path, monkeypatch: pytest.MonkeyPatch) -> ModelFacts:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(cache))
    source = ModelSource("m", "hub:someone/model", "auto", Place("recipe.yaml", 1, 1))
    return model_facts(source, Digests(None))


@pytest.mark.slow
def test_of_a_published_model_only_what_serves_is_fetched(tiny_sd: Path, tmp_path: Path) -> None:
    """The plain weights: neither pickles nor halves, neither what is not averaged nor a safety checker."""
    folder = published.stable_diffusion_1(tiny_sd, tmp_path / "repository")
    with serving(Hub(folder)) as hub:
        found = ask(tmp_path / "cache", "hub:someone/model", HF_ENDPOINT=hub.address)
        assert "error" not in found, found
        tensors = sorted(name for name in hub.fetched if name.endswith((".safetensors", ".bin")))
        assert tensors == sorted(published.weights(part) for part in published.parts(folder))
        assert not any("safety" in name or "feature" in name for name in hub.fetched)
        before = list(hub.fetched)
        again = ask(tmp_path / "cache", "hub:someone/model", HF_ENDPOINT=hub.address)
        assert again == found
        assert hub.fetched == before


@pytest.mark.slow
def test_a_model_that_cannot_be_drawn_with_is_known_before_its_weights_are_fetched(
    tiny_sd: Path, tmp_path: Path
) -> None:
    folder = published.stable_diffusion_1(tiny_sd, tmp_path / "repository")
    published.change(folder / "unet" / "config.json", in_channels=9)
    with serving(Hub(folder)) as hub:
        found = ask(tmp_path / "cache", "hub:someone/model", HF_ENDPOINT=hub.address)
    assert "inpainting" in str(found["error"])
    assert not [name for name in hub.fetched if name.endswith(".safetensors")]


@pytest.mark.parametrize("whole", [True, False])
def test_a_cache_that_diffusers_filled_is_used_without_a_network(
    whole: bool, tiny_sd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """diffusers leaves the halves, the pickles and more where they are, and the hub's list has them all."""
    repository = published.stable_diffusion_1(tiny_sd, tmp_path / "repository")
    fetched = tmp_path / "fetched"
    ignore = shutil.ignore_patterns("*.bin", "*non_ema*", "*.fp16.*")
    shutil.copytree(repository, fetched, ignore=ignore)
    cached(tmp_path / "cache", fetched, repository if whole else None)
    found = offline(tmp_path / "cache", monkeypatch)
    assert found.digest is not None
    assert found.revision == COMMIT


def test_a_cache_of_halves_is_used_without_a_network(
    tiny_sd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `StableDiffusionPipeline.from_pretrained(..., variant="fp16")` leaves it."""
    repository = published.stable_diffusion_1(tiny_sd, tmp_path / "repository")
    fetched = published.fp16_only(tiny_sd, tmp_path / "fetched")
    cached(tmp_path / "cache", fetched, repository)
    found = offline(tmp_path / "cache", monkeypatch)
    assert found.path is not None
    assert (found.path / "unet" / "diffusion_pytorch_model.fp16.safetensors").is_file()


@pytest.mark.slow
def test_a_download_that_was_cut_off_is_not_taken_for_a_model(
    tiny_sd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = published.stable_diffusion_1(tiny_sd, tmp_path / "repository")
    part = tmp_path / "part"
    shutil.copytree(folder, part, ignore=shutil.ignore_patterns("diffusion_pytorch_model*"))
    cached(tmp_path / "cache", part, folder)
    assert offline(tmp_path / "cache", monkeypatch).digest is None
    with serving(Hub(folder)) as hub:
        found = ask(tmp_path / "cache", "hub:someone/model", HF_ENDPOINT=hub.address)
    assert "error" not in found, found
    assert published.weights("unet") in hub.fetched


def test_of_a_repository_that_is_wanted_whole_a_part_is_not_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    from lorakit.facts.hub.hub_copies import snapshot

    folder = tmp_path / "repository"
    folder.mkdir()
    published.empty(folder, ["a.csv", "b.csv"])
    part = tmp_path / "part"
    part.mkdir()
    published.empty(part, ["a.csv"])
    cached(tmp_path / "cache", part, folder)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    assert snapshot("someone/model", download=False) is None
    shutil.rmtree(tmp_path / "cache")
    cached(tmp_path / "cache", folder, folder)
    assert snapshot("someone/model", download=False) is not None


ANSWERS = {
    "gated": (403, "GatedRepo", "is gated", "accept them at"),
    "gated, nobody logged in": (401, "GatedRepo", "is gated", "hf auth login"),
    "no repository": (404, "RepoNotFound", "there is no hub:someone/model", "slip in owner/name"),
    "private": (401, "RepoNotFound", "or it is private", "HF_TOKEN"),
    "no revision": (404, "RevisionNotFound", "has no revision main", "commits"),
    "no file": (404, "EntryNotFound", "lacks a file", "tree/main"),
    "forbidden": (403, "", "may not read", "hf auth login"),
    "too many requests": (429, "", "too many requests", "some minutes"),
    "out of order": (503, "", "out of order (503)", "status.huggingface.co"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", ANSWERS)
def test_each_error_of_the_hub_says_what_it_is_and_the_way_out(name: str, tmp_path: Path) -> None:
    status, code, says, way = ANSWERS[name]
    with serving(Hub(None, status, code)) as hub:
        found = ask(tmp_path, "hub:someone/model", HF_ENDPOINT=hub.address)
    assert says in str(found["error"])
    assert way in " ".join(map(str, found["hints"]))  # type: ignore[call-overload]
    assert "\n" not in str(found["error"])


@pytest.mark.slow
def test_a_hub_that_cannot_be_reached_is_said_to_be_so(tmp_path: Path) -> None:
    found = ask(tmp_path, "hub:someone/model", HF_ENDPOINT="http://127.0.0.1:9")
    assert "cannot be reached" in str(found["error"])
    found = ask(tmp_path, "hub:someone/model", HF_ENDPOINT="http://no-such-host.invalid")
    assert "address is not found" in str(found["error"])
    found = ask(tmp_path, "hub:someone/model", HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE forbids" in str(found["error"])
    found = ask(tmp_path, "hub:some one/mo del")
    assert "no name of a repository" in str(found["error"])


def test_what_the_network_and_the_disk_say_is_read_as_what_it_is(tmp_path: Path) -> None:
    import errno

    from lorakit.facts.hub.hub_errors import in_words, no_room

    class ReadTimeout(Exception):
        pass

    def told(error: Exception) -> str:
        return str(in_words("someone/model", None, error))

    assert "the disk is full" in told(OSError(errno.ENOSPC, "No space left on device"))
    assert "may not be written" in told(PermissionError(errno.EACCES, "no", "/cache"))
    assert "did not answer in time" in told(ReadTimeout("timed out"))
    outer = RuntimeError("Got: something")
    outer.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    assert "the disk is full" in told(outer)
    assert "needs 5.0 GB more of disk" in str(no_room("someone/model", 5e9, 1e9, tmp_path))


@pytest.mark.slow
def test_a_repository_of_single_files_says_how_to_use_one(tmp_path: Path) -> None:
    folder = tmp_path / "repository"
    folder.mkdir()
    published.empty(folder, ["README.md", "dreamshaper_8.safetensors"])
    with serving(Hub(folder)) as hub:
        found = ask(tmp_path / "cache", "hub:someone/model", HF_ENDPOINT=hub.address)
    assert "not in diffusers' layout" in str(found["error"])
    assert "dreamshaper_8.safetensors" in str(found["hints"])
    assert hub.fetched == []
