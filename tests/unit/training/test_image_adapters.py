"""Every kind of adapter, and whole models, of each family: saved, loaded by public loaders, drawn with."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

import lorakit
from lorakit.diagnostics import LorakitError
from tests.support.image_training import paint

pytestmark = pytest.mark.filterwarnings("ignore")

LORA = "lora: {rank: 3, alpha: 7, target_modules: [to_k, to_v, to_out.0]}"
WAYS = {
    "lora": LORA,
    "convolutions": "lora: {rank: 3, alpha: 7, target_modules: [to_v, conv1, proj_in]}",
    "dora": LORA.replace("}", ", use_dora: true}"),
    "rslora": LORA.replace("}", ", use_rslora: true}"),
    "loha": LORA.replace("}", ", peft_type: loha}"),
    "lokr": LORA.replace("}", ", peft_type: lokr}"),
    "text-encoder": f"{LORA}, train_text_encoder: true",
    "full": "method: full",
    "full-text-encoder": "method: full, train_text_encoder: true",
}
FAMILIES = {"tiny_sd": "sd", "tiny_sd2": "sd", "tiny_sdxl": "sdxl"}
FLOWS = {"flux-dev": "flux", "sd3": "sd3", "z-image": "z-image"}
# of a flow an adapter of the transformer is trained
FLOW_WAYS = [
    way for way in WAYS if "full" not in way and way not in ("text-encoder", "convolutions")
]
EACH = [(m, w) for m in FAMILIES for w in WAYS] + [
    (m, w) for m in FLOWS for w in FLOW_WAYS if m == "flux-dev" or w == "lora"
]


@pytest.fixture
def folder(request: pytest.FixtureRequest, model: str) -> Path:
    """The tiny pipeline of a kind, or of a fixture's name."""
    if model in FLOWS:
        found: Path = request.getfixturevalue("tiny_transformer")(model)
        return found
    return request.getfixturevalue(model)


def planned(model: Path, folder: Path, way: str) -> Any:
    """The training of a recipe."""
    paint(folder / "foxes", [(64, 64)])
    (folder / ".lorakit").mkdir()
    (folder / "recipe.yaml").write_text(
        f"recipe: 1\nseed: 5\nmodels: {{tiny: {{from: {folder / 'model'}, dtype: fp32}}}}\n"
        "datasets: {foxes: {images: foxes}}\nsteps:\n"
        f"  style: {{kind: train-image, data: foxes, {WAYS[way]}, train: {{max_train_steps: 1, precision: fp32}}}}\n"
    )
    shutil.copytree(model, folder / "model")
    plan = lorakit.load(folder / "recipe.yaml").plan()
    return next(p.action for p in plan.actions if p.action.kind == "train-image")


def moved(action: Any, share: float = 1.0) -> Any:
    """Its networks with everything that is trained far from where it began, or a share of that."""
    from lorakit.training import image_model
    from lorakit.training.networks import Networks

    pipeline = image_model.build(action.task, words=True)
    text = action.task.train_text_encoder
    networks = Networks(pipeline, action.task.family, text=text)
    rng = torch.Generator().manual_seed(1)
    scale = share * (0.02 if action.task.lora is None else 0.3)
    with torch.no_grad():
        for parameter in networks.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=rng) * scale)
    return networks


def said(networks_or_pipeline: Any, family: str) -> torch.Tensor:
    from lorakit.training.image_reload import predicted
    from lorakit.training.networks import Networks

    networks = networks_or_pipeline
    if not isinstance(networks, Networks):
        networks = Networks(networks, family, text=False)
    rng = torch.Generator().manual_seed(1)
    channels = 16 if family in FLOWS.values() else 4
    probe = {"noisy": torch.randn(1, channels, 8, 8, generator=rng), "times": torch.tensor([400])}
    probe["captions"] = ["a fox"]
    if family == "sdxl":
        probe["time_ids"] = torch.tensor([[64.0, 64, 0, 0, 64, 64]])
    return predicted(networks, probe)


def close(one: torch.Tensor, other: torch.Tensor) -> bool:
    return torch.allclose(one, other, atol=1e-4 * float(other.abs().max()))


def saved(networks: Any, action: Any, out: Path) -> dict[str, str]:
    from lorakit.training import image_model

    return image_model.save(networks, action.task, out, "sd_v1")


@pytest.mark.slow
@pytest.mark.parametrize(("model", "way"), EACH)
def test_complaint_11_what_is_saved_loads_elsewhere_and_is_worn_the_same(
    folder: Path, tmp_path: Path, model: str, way: str
) -> None:
    from lorakit.models.loading import load_pipeline
    from lorakit.training.image_reload import loaded

    family, base = {**FAMILIES, **FLOWS}[model], tmp_path / "model"
    action = planned(folder, tmp_path, way)
    networks = moved(action)
    expected = said(networks, family)
    outputs = saved(networks, action, tmp_path / "out")
    assert set(outputs) == set(action.files) - {"metrics", "log", "curve"}
    bare = said(load_pipeline(base, family, "fp32", "cpu"), family)
    assert not close(bare, expected)
    if "adapter" not in outputs:
        whole = Path(outputs["model/model_index.json"]).parent
        assert close(said(loaded(whole, base, family), family), expected)
        return
    adapter = Path(outputs["adapter"])
    assert close(said(loaded(adapter, base, family), family), expected)
    # as the store keeps it: without an ending, and with nothing beside it
    kept = tmp_path / "object"
    shutil.copyfile(adapter, kept)
    worn = load_pipeline(base, family, "fp32", "cpu", [(kept, 1.0)])
    assert close(said(worn, family), expected)
    half = said(load_pipeline(base, family, "fp32", "cpu", [(kept, 0.5)]), family)
    assert not close(half, expected)
    assert not close(half, bare)


@pytest.mark.slow
@pytest.mark.parametrize("way", ["lora", "loha", "full", "text-encoder"])
def test_a_training_of_little_effect_does_not_count_as_saved_where_it_is_lost(
    tiny_sd: Path, tmp_path: Path, way: str
) -> None:
    from lorakit.training import image_reload

    base, action = tmp_path / "model", planned(tiny_sd, tmp_path, way)
    share = {"lora": 5e-4, "loha": 5e-3, "full": 1e-4, "text-encoder": 2e-4}[way]
    networks = moved(action, share)
    rng = torch.Generator().manual_seed(1)
    probe = {"noisy": torch.randn(1, 4, 8, 8, generator=rng), "times": torch.tensor([400])}
    probe["captions"] = ["a fox"]
    bare = image_reload.predicted(moved(action, 0.0), probe)
    probe |= {"expected": image_reload.predicted(networks, probe), "untrained": bare}
    outputs = saved(networks, action, tmp_path / "out")
    what = Path(outputs.get("adapter") or Path(outputs["model/model_index.json"]).parent)
    found = image_reload.differences(what, base, "sd", probe)
    assert image_reload.judged(found) == found["difference"] < found["effect"] / 100
    # the same files with nothing learnt in them: within the tolerance, and not what was trained
    saved(moved(action, 0.0), action, tmp_path / "out")
    lost = image_reload.differences(what, base, "sd", probe)
    assert lost["difference"] < image_reload.TOLERANCE
    with pytest.raises(LorakitError, match="what was learnt does not arrive"):
        image_reload.judged(lost)


@pytest.mark.slow
@pytest.mark.parametrize(("way", "exact"), [("lora", True), ("dora", False)])
def test_what_is_trained_on_weights_in_bf16_arrives_to_the_bit_or_a_rounding(
    tiny_transformer: Callable[[str], Path], tmp_path: Path, way: str, exact: bool
) -> None:
    from lorakit.training import image_reload

    base, action = tmp_path / "model", planned(tiny_transformer("flux-dev"), tmp_path, way)
    action = replace(action, task=replace(action.task, frozen="bf16", precision="bf16"))
    networks = moved(action)
    rng = torch.Generator().manual_seed(1)
    probe = {"noisy": torch.randn(1, 16, 8, 8, generator=rng), "times": torch.tensor([400])}
    probe["captions"] = ["a fox"]
    bare = image_reload.predicted(moved(action, 0.0), probe)
    probe |= {"expected": image_reload.predicted(networks, probe), "untrained": bare}

    def found() -> dict[str, float]:
        adapter = Path(saved(networks, action, tmp_path / "out")["adapter"])
        return image_reload.differences(adapter, base, "flux", probe, kept=("bf16", 0))

    whole = found()
    assert image_reload.judged(whole, low=True) == whole["difference"]
    assert exact is (whole["difference"] == 0)
    # a thirtieth of it lost on the way
    with torch.no_grad():
        for name, parameter in networks.named_parameters():
            if "lora_B" in name:
                parameter.mul_(0.97)
    part = found()
    if exact:
        assert part["difference"] < part["effect"] / 10
        with pytest.raises(LorakitError, match="what was learnt does not arrive"):
            image_reload.judged(part, low=True)


@pytest.mark.parametrize(
    ("model", "way"),
    [(m, w) for m, w in EACH if m == "tiny_sd" or m in FLOWS or "text" in w],
)
def test_the_plan_counts_what_is_trained_and_what_it_leaves(
    folder: Path, tmp_path: Path, model: str, way: str
) -> None:
    action = planned(folder, tmp_path, way)
    networks = moved(action)
    count = sum(p.numel() for p in networks.parameters() if p.requires_grad)
    whole = sum(p.numel() for n, p in networks.named_parameters() if "lora_" not in n)
    (line,) = (line for line in action.notes if line.startswith("trains "))
    assert line.startswith(f"trains {count:,} of ")
    if way not in ("loha", "lokr"):
        assert line.startswith(f"trains {count:,} of {whole:,} parameters ({count / whole:.3%})")
    saved(networks, action, tmp_path / "out")
    files = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    left = sum(file.stat().st_size for file in files)
    # the headers of what is written anew are as good as in what is added for them
    assert left - 200_000 < action.cost.disk - 200_000 < left


@pytest.mark.parametrize(
    ("model", "version", "architecture", "first"),
    [
        ("tiny_sd", "sd_v1", "stable-diffusion-v1", "lora_te_"),
        ("tiny_sd2", "sd_v2_v", "stable-diffusion-v2-768-v", "lora_te_"),
        ("tiny_sdxl", "sdxl_base_v1-0", "stable-diffusion-xl-v1-base", "lora_te1_"),
    ],
)
def test_kohya_s_header_names_the_base_and_its_file_reads_back_the_same(
    request, tmp_path, model, version, architecture, first
) -> None:
    from click.testing import CliRunner

    from lorakit.cli.export import command
    from lorakit.models.loading import load_pipeline
    from lorakit.training import image_model
    from lorakit.training.image_trainer import base_version

    family = FAMILIES[model]
    action = planned(request.getfixturevalue(model), tmp_path, "text-encoder")
    base = load_pipeline(tmp_path / "model", family, "fp32", "cpu")
    assert base_version(family, base) == version
    source = tmp_path / "pytorch_lora_weights.safetensors"
    image_model.save_adapter(moved(action), action.task.lora, source, version)
    target = tmp_path / "ink.safetensors"
    words = ["adapter", str(source), "--format", "kohya", "--out", str(target)]
    ran = CliRunner().invoke(command, words, standalone_mode=False)
    assert ran.exception is None, ran.output
    with safe_open(str(target), framework="pt") as file:
        header, keys = file.metadata(), set(file.keys())
    assert header["ss_base_model_version"] == version
    assert header["modelspec.architecture"] == f"{architecture}/lora"
    assert header["ss_v2"] == str(version.startswith("sd_v2"))
    assert f"{first}text_model_encoder_layers_0_self_attn_q_proj.alpha" in keys
    assert any(k.startswith("lora_te2_text_model_") for k in keys) == (family == "sdxl")
    worn = [
        said(load_pipeline(tmp_path / "model", family, "fp32", "cpu", [(f, 1.0)]), family)
        for f in (source, target)
    ]
    assert close(*worn)
