"""Transformers in the layouts that they are published in: halves alone, pieces of them, the hub's cache."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import diffusers
import pytest
import torch
from safetensors.torch import load_file, save_file

from lorakit.facts.files.digests import Digests
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.model_lookup import model_facts
from lorakit.language.recipe.documents import ModelSource
from lorakit.models.loading import load_pipeline
from tests.support.one_file import facts, same, whole, without_weights
from tests.support.original_layouts import save_original, sd3_tensors

pytestmark = pytest.mark.filterwarnings("ignore")
KINDS = ["flux-schnell", "sd3", "qwen-image", "z-image", "flux2-klein", "chroma"]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def stem(part: str) -> str:
    return "model" if part.startswith("text_encoder") else "diffusion_pytorch_model"


def halved(folder: Path, out: Path, *, pieces: bool) -> Path:
    """As a repository with fp16 files alone has them, whole or in pieces with an index."""
    shutil.copytree(folder, out)
    for part in [p for p in out.iterdir() if p.is_dir() and list(p.glob("*.safetensors"))]:
        tensors = {}
        for file in part.glob("*.safetensors"):
            tensors |= {
                n: t.half() if t.is_floating_point() else t for n, t in load_file(file).items()
            }
            file.unlink()
        for index in part.glob("*.index.json"):
            index.unlink()
        name = stem(part.name)
        if not pieces:
            save_file(tensors, part / f"{name}.fp16.safetensors", {"format": "pt"})
            continue
        names = sorted(tensors)
        where: dict[str, str] = {}
        for number, chosen in enumerate((names[::2], names[1::2]), 1):
            piece = f"{name}.fp16-0000{number}-of-00002.safetensors"
            save_file({n: tensors[n] for n in chosen}, part / piece, {"format": "pt"})
            where |= dict.fromkeys(chosen, piece)
        told = {"metadata": {"total_size": 1}, "weight_map": where}
        (part / f"{name}.safetensors.index.fp16.json").write_text(json.dumps(told))
    return out


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pieces", [False, True])
def test_halves_alone_are_read_as_diffusers_reads_them(
    kind: str, pieces: bool, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = halved(tiny_transformer(kind), tmp_path / "model", pieces=pieces)
    theirs = diffusers.DiffusionPipeline.from_pretrained(folder, variant="fp16")
    found = facts(folder)
    kept = theirs.transformer.state_dict().values()
    assert found.parameters["transformer"] == sum(tensor.numel() for tensor in kept)
    ours = load_pipeline(folder, found.family, "fp32", "cpu")
    for name in found.traits.weighed:
        if getattr(theirs, name) is not None:
            same(getattr(ours, name), getattr(theirs, name).float())
            assert getattr(ours, name).dtype == torch.float32


def in_cache(cache: Path, repository: str, folder: Path, commit: str, ref: str) -> None:
    """A repository's files in the hub's cache at a commit, which a branch or tag is at."""
    home = cache / f"models--{repository.replace('/', '--')}"
    for file in folder.rglob("*"):
        if file.is_file():
            name = file.relative_to(folder)
            blob = home / "blobs" / f"{commit}-{name.as_posix().replace('/', '-')}"
            blob.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, blob)
            link = home / "snapshots" / commit / name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(blob)
    (home / "refs").mkdir(parents=True, exist_ok=True)
    (home / "refs" / ref).write_text(commit)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def of_hub(revision: str = "", source: str = "hub:someone/model", parts: str = "") -> ModelFacts:
    return model_facts(
        ModelSource("m", source, "auto", None, revision=revision, parts=parts), Digests(None)
    )


@pytest.mark.parametrize("kind", ["flux-dev", "z-image"])
def test_a_revision_in_the_hub_s_cache_is_used_without_a_network(
    kind: str, tiny_transformer: Callable[[str], Path], tmp_path: Path, cache: Path
) -> None:
    folder = tiny_transformer(kind)
    older = halved(folder, tmp_path / "older", pieces=False)
    in_cache(cache, "someone/model", folder, COMMIT, "main")
    in_cache(cache, "someone/model", older, COMMIT[::-1], "v1.0")
    newest, tagged = of_hub(), of_hub("v1.0")
    assert (newest.revision, tagged.revision) == (COMMIT, COMMIT[::-1])
    assert newest.digest != tagged.digest
    assert of_hub(COMMIT[::-1]).digest == tagged.digest
    assert newest.path is not None
    pipeline = load_pipeline(newest.path, newest.family, "fp32", "cpu")
    same(pipeline.transformer, whole(folder).transformer)
    # what is not here is fetched by a run, and nothing is asked of the hub before
    assert of_hub("v2.0").path is None
    # a part that is missing makes it no model
    (newest.path / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    assert of_hub().path is None


def test_parts_come_from_the_hub_s_cache_too(
    tiny_transformer: Callable[[str], Path], tmp_path: Path, cache: Path
) -> None:
    """All that was fetched of the repository is what the file lacks."""
    folder = tiny_transformer("sd3")
    pipeline = whole(folder)
    file = save_original(tmp_path / "sd3.safetensors", sd3_tensors(pipeline.transformer))
    asked = {"source": str(file), "parts": "hub:someone/model"}
    assert of_hub(**asked).path is None
    parts = without_weights(folder, tmp_path / "parts")
    in_cache(cache, "someone/model", parts, COMMIT, "main")
    found = of_hub(**asked)
    assert found.path == file
    assert found.parts is not None
    assert found.parts.name == COMMIT
    ours = load_pipeline(file, "sd3", "fp32", "cpu", parts=str(found.parts))
    same(ours.transformer, pipeline.transformer)
    same(ours.vae, pipeline.vae)


def test_parts_are_for_files_alone(tiny_transformer: Callable[[str], Path]) -> None:
    folder = tiny_transformer("sd3")
    with pytest.raises(ModelError, match="parts: is for a model in one file"):
        of_hub(source=str(folder), parts=str(folder))
