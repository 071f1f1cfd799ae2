"""What is read of a model without torch."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
from transformers import CLIPTokenizer

from lorakit.diagnostics import Place
from lorakit.facts.files.digests import Digests
from lorakit.facts.machine.this_machine import Machine, this_machine
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.model_lookup import model_facts
from lorakit.facts.models.tokens import TokenCounter
from lorakit.language.recipe.documents import ModelSource
from lorakit.store import sealed, seen

PLACE = Place("recipe.yaml", 1, 1)


def facts(source: str | Path) -> ModelFacts:
    return model_facts(ModelSource("m", str(source), "auto", PLACE), Digests(None))


def test_a_stable_diffusion_folder(tiny_sd: Path) -> None:
    found = facts(tiny_sd)
    assert (found.family, found.native, found.vae_factor, found.token_limit) == (
        "sd",
        (64, 64),
        8,
        77,
    )
    assert found.weight_bytes > 10_000
    assert found.vocabulary is None


def test_an_sdxl_folder(tiny_sdxl: Path) -> None:
    assert facts(tiny_sdxl).family == "sdxl"


def test_the_studio() -> None:
    found = facts("lorakit:studio")
    assert found.native == (128, 128)
    assert found.vocabulary is not None
    assert {"bunny", "fox", "mars", "finds"} <= found.vocabulary
    assert found.weight_bytes <= 40_000_000


def test_the_digest_follows_the_content_and_not_the_place(tiny_sd: Path, tmp_path: Path) -> None:
    import shutil

    twin = tmp_path / "twin"
    shutil.copytree(tiny_sd, twin)
    assert facts(twin).digest == facts(tiny_sd).digest
    config = twin / "scheduler" / "scheduler_config.json"
    config.write_text(config.read_text().replace("0.012", "0.013"))
    assert facts(twin).digest != facts(tiny_sd).digest


def test_digests_are_remembered_until_the_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "FRESH", 0)
    file, cache = tmp_path / "a.bin", tmp_path / "digests.json"
    file.write_bytes(b"one")
    first = Digests(cache)
    one = first.file(file)
    first.save()
    known = sealed.read(cache)
    assert isinstance(known, dict)
    (name,) = known
    known[name][4] = "ab" * 32
    sealed.write(cache, known)
    assert Digests(cache).file(file) == "ab" * 32
    assert Digests(cache, anew=True).file(file) == one
    file.write_bytes(b"longer")
    assert Digests(cache).file(file) not in (one, "ab" * 32)


def checkpoint(path: Path, keys: list[str]) -> Path:
    header = json.dumps(
        {k: {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]} for k in keys}
    ).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda p: p, "there is no model at"),
        (lambda p: p.mkdir() or p, "no model_index.json"),
        (
            lambda p: p.with_suffix(".ckpt").write_bytes(b"x") and p.with_suffix(".ckpt"),
            "not opened",
        ),
        (
            lambda p: checkpoint(p.with_suffix(".safetensors"), ["lora_unet_x.lora_down.weight"]),
            "no UNet",
        ),
        (
            lambda p: (
                p.with_suffix(".safetensors").write_bytes(b"junk") and p.with_suffix(".safetensors")
            ),
            "not a safetensors file",
        ),
    ],
)
def test_what_is_no_model_is_said_in_words(tmp_path: Path, make: object, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        facts(make(tmp_path / "model"))  # type: ignore[operator]


def test_a_pipeline_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "WanPipeline"}')
    with pytest.raises(
        ModelError, match=r"holds a WanPipeline; lorakit draws with Stable.*FluxPipeline"
    ):
        facts(tmp_path)


def test_a_hub_model_that_is_not_here_is_unknown_until_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    assert facts("hub:nobody/never-made-model").digest is None


def test_a_hub_model_in_the_cache_is_used(
    tiny_sd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--someone--tiny"
    commit = "a" * 40
    shutil.copytree(tiny_sd, repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    found = facts("hub:someone/tiny")
    assert found.digest == facts(tiny_sd).digest
    assert found.revision == commit


# -- tokens ----------------------------------------------------------------------------------------

TEXTS = [
    "a white bunny with a magic hat",
    "Don't, 42 times!",
    "ünïcode  and\tspaces",
    "zzz qqq xylophone",
]


def test_tokens_are_counted_as_transformers_does(tiny_sd: Path) -> None:
    theirs = CLIPTokenizer.from_pretrained(tiny_sd / "tokenizer")
    ours = TokenCounter(tiny_sd / "tokenizer", 77)
    for text in TEXTS:
        assert ours.count(text) == len(theirs(text).input_ids)


def test_tokens_are_counted_from_older_files_too(tiny_sd: Path) -> None:
    """vocab.json and merges.txt, as Stable Diffusion 1.4's repository has them."""
    theirs = CLIPTokenizer.from_pretrained(tiny_sd / "tokenizer")
    ours = TokenCounter(tiny_sd.parent / "words", 77)
    for text in TEXTS:
        assert ours.count(text) == len(theirs(text).input_ids)


def test_texts_that_are_counted_together_are_counted_as_each_by_itself(tiny_sd: Path) -> None:
    together, alone = (TokenCounter(tiny_sd / "tokenizer", 12) for _ in range(2))
    together.count_all(TEXTS)
    fit = [alone.count(text) <= 12 for text in TEXTS]
    assert {*fit} == {True, False}
    assert [together.fits(text) for text in TEXTS] == [alone.fits(text) for text in TEXTS] == fit


def test_what_would_fall_off_is_named(tiny_sd: Path) -> None:
    counter = TokenCounter(tiny_sd / "tokenizer", 12)
    text = "a white bunny with a magic hat finds a golden key in the forest"
    theirs = CLIPTokenizer.from_pretrained(tiny_sd / "tokenizer")
    ((found, (tokens, lost)),) = counter.overflow([text, "a fox"]).items()
    assert (found, tokens) == (text, len(theirs(text).input_ids))
    kept = text.removesuffix(lost)
    assert len(theirs(kept).input_ids) <= 12 < len(theirs(f"{kept}{lost.split()[0]}").input_ids)
    assert counter.overflow(["a fox"]) == {}


# -- the machine -----------------------------------------------------------------------------------


def test_this_machine() -> None:
    machine = this_machine()
    assert machine.device == "cpu"
    assert machine.cores >= 1


@pytest.mark.parametrize(
    ("device", "fast", "wanted", "precision"),
    [
        ("cpu", False, "auto", "fp32"),
        ("cpu", True, "auto", "bf16"),
        ("cuda", True, "auto", "bf16"),
        ("mps", False, "auto", "fp16"),
        ("cpu", True, "fp32", "fp32"),
    ],
)
def test_auto_takes_what_is_fast_here(device: str, fast: bool, wanted: str, precision: str) -> None:
    machine = Machine(device, "x", "x", fast_bf16=fast)  # type: ignore[arg-type]
    assert machine.precision(wanted) == precision
