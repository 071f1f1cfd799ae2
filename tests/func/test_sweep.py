"""Sweeps as a user runs them: members that share, one that fails, the best that others go on from."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.support.runs import begin, lorakit, run, workers_of
from tests.support.tiny_text import save_bert

BOARD = """\
storyboard: 1
look: {num_inference_steps: 4}
scenes:
  - name: one
    sentences: [a fox on mars, a fox at night]
"""


def test_members_share_what_they_share_and_stand_on_one_sheet(home: Path) -> None:
    (home / "board.yaml").write_text(BOARD)
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {tiny: {from: tiny, dtype: fp32}}\nsteps:\n"
        "  film: {kind: storyboard, storyboard: board.yaml}\n"
        "  strengths:\n    kind: sweep\n    of: film\n"
        "    over: {storyboard.chain.strength: [0.5, 0.75, 0.8]}\n"
        "    best: {metric: change_from_first, mode: min}\n"
    )
    planned = lorakit(home, "plan")
    assert planned.returncode == 0, planned.stderr
    assert "strength=0.5" in planned.stdout
    ran = run(home)
    assert ran.code == 0, ran.errors
    # the first frame is the same whatever the strength, and 0.75 is what the step has by itself; 0.75 and 0.8
    # take the same three of four steps, but are drawn with another strength
    assert len(ran.made("frame")) == 4
    folder = ran.folder / "strengths"
    firsts = {
        (folder / f"strength={s}/frames_scene_1/frame_001.png").read_bytes() for s in (0.5, 0.8)
    }
    assert len(firsts) == 1
    told = json.loads((folder / "metrics.json").read_text())
    assert [m["values"] for m in told["members"]] == [
        {"strength": s} for s in ("0.5", "0.75", "0.8")
    ]
    changes = {m["name"]: m["figures"]["change_from_first"] for m in told["members"]}
    assert told["best"] == min(changes, key=lambda name: changes[name])
    assert "change from a scene's first" in (folder / "table.md").read_text()
    assert (folder / "side_by_side.png").stat().st_size > 1000
    assert not list(folder.rglob("contact_sheet.png"))
    again = run(home)
    assert again.made() == []
    assert (again.folder / "strengths" / "table.md").exists()


def test_complaint_15_a_member_that_fails_fails_alone(home: Path) -> None:
    # an adapter that fits, and makes numbers of the UNet that no picture comes of
    name = "unet.mid_block.attentions.0.proj_in"
    down, up = torch.full((2, 64), 1e18), torch.full((64, 2), 1e18)
    tensors = {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}
    save_file(tensors, home / "broken.safetensors")
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {tiny: {from: tiny, dtype: fp32}}\n"
        "adapters: {broken: {from: broken.safetensors}}\nsteps:\n"
        "  many:\n    kind: sweep\n"
        "    of: {kind: generate, prompts: [a fox], num_inference_steps: 2}\n"
        "    over: [{adapters: {broken: 1.0}}, {guidance_scale: 2}, {guidance_scale: 4}]\n"
        "  after: {kind: generate, prompts: [an owl], num_inference_steps: 2}\n"
    )
    ran = run(home)
    assert ran.code == 1
    ended = {e["action"]: e["outcome"] for e in ran.events if e["type"] == "action-finished"}
    assert {id_ for id_, outcome in ended.items() if outcome == "failed"} == {
        "many/adapters=broken-1/1"
    }
    assert ended["many/guidance_scale=4/1"] == "made"
    assert ended["after/1"] == "made"  # it is no member, and needs none
    rows = (ran.folder / "many" / "table.md").read_text().splitlines()
    assert [row.split("|")[1].strip() for row in rows[2:]] == ["failed", "", ""]
    assert (ran.folder / "many" / "side_by_side.png").exists()


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a tiny BERT and forty reviews."""
    (tmp_path / ".lorakit").mkdir()
    (tmp_path / "bert").mkdir()
    save_bert(tmp_path / "bert")
    words = [("good", "good"), ("good", "great"), ("bad", "bad"), ("bad", "awful")] * 10
    lines = [f"{label},the film was{' very' * (n % 5)} {w}" for n, (label, w) in enumerate(words)]
    (tmp_path / "films.csv").write_text("\n".join(["label,text", *lines]) + "\n")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path


def killing(texts: Path, doomed: str) -> tuple[int, list[dict[str, object]]]:
    """Run, and kill the worker whenever it begins one action; the exit code and the events."""
    process = begin(texts, "run", "--json", stdout=subprocess.PIPE)
    assert process.stdout is not None
    events = []
    for line in process.stdout:
        events.append(json.loads(line))
        if events[-1]["type"] == "action-started" and events[-1]["action"] == doomed:
            workers_of(process, "train")[-1].kill()
    process.stdout.close()
    return process.wait(60), events


@pytest.mark.slow
def test_complaint_15_trainings_that_fail_take_no_other_along(texts: Path) -> None:
    # weights of another width than config.json says: transformers raises what nobody foresees
    (texts / "torn").mkdir()
    save_bert(texts / "torn")
    weights = load_file(texts / "torn" / "model.safetensors")
    narrow = {name: t[..., :8].contiguous() for name, t in weights.items()}
    save_file(narrow, texts / "torn" / "model.safetensors", {"format": "pt"})
    (texts / "recipe.yaml").write_text(
        "recipe: 1\nseed: 3\nmodels: {bert: {from: bert}, torn: {from: torn}}\n"
        "datasets: {films: {texts: films.csv, test_size: 10}}\nsteps:\n"
        "  many:\n    kind: sweep\n"
        "    of:\n      kind: train-text\n      model: bert\n      data: films\n"
        "      max_length: 32\n      lora: {rank: 2}\n"
        "      train: {max_train_steps: 6, batch_size: 4, precision: fp32}\n"
        "    over: [{model: torn}, {seed: 1}, {seed: 2}]\n"
        "    best: {metric: held_out_loss, mode: min}\n"
    )
    torn, doomed = "many/model=torn/training", "many/seed=1/training"
    code, events = killing(texts, doomed)
    assert code == 1
    ended = {e["action"]: e for e in events if e["type"] == "action-finished"}
    failed = {id_: str(e["detail"]) for id_, e in ended.items() if e["outcome"] == "failed"}
    assert set(failed) == {torn, doomed}
    assert {e["outcome"] for id_, e in ended.items() if id_ not in failed} == {"made"}
    assert failed[torn].startswith("RuntimeError: ")
    assert "ended by itself (signal 9)" in failed[doomed]
    assert sum("starting it again" in str(e.get("text", "")) for e in events) == 2
    folder = Path(str(events[0]["folder"]))
    assert "Traceback" in (folder / "run.log").read_text()
    rows = (folder / "many" / "table.md").read_text().splitlines()[2:]
    assert [row.split("|")[1].strip() for row in rows] == ["failed", "failed", "best"]
    assert (folder / "many" / "contact_sheet.png").exists()  # of the curves that there are


@pytest.mark.slow
def test_the_best_training_is_handed_on_and_a_new_value_trains_alone(texts: Path) -> None:
    def recipe(rates: str) -> None:
        (texts / "recipe.yaml").write_text(
            "recipe: 1\nseed: 3\nmodels: {bert: {from: bert}}\n"
            "datasets: {films: {texts: films.csv, test_size: 10}}\nsteps:\n"
            "  rates:\n    kind: sweep\n"
            "    of:\n      kind: train-text\n      data: films\n      max_length: 32\n"
            "      lora: {rank: 2, target_modules: [query, value]}\n"
            "      train: {max_train_steps: 10, batch_size: 4, precision: fp32}\n"
            f"    over: {{train.learning_rate: {rates}}}\n"
            "    best: {metric: held_out_loss, mode: min}\n"
        )

    recipe("[1e-6, 0.02]")
    ran = run(texts)
    assert ran.code == 0, ran.errors
    assert len(ran.made("train-text")) == 2
    told = json.loads((ran.folder / "rates" / "metrics.json").read_text())
    losses = {m["name"]: m["figures"]["held_out_loss"] for m in told["members"]}
    assert len(set(losses.values())) == 2
    assert told["best"] == min(losses, key=lambda name: losses[name])
    best, member = ran.folder / "rates" / "best", ran.folder / "rates" / told["best"]
    for file in ("adapter_model.safetensors", "adapter_config.json", "tokenizer.json"):
        assert (best / file).read_bytes() == (member / file).read_bytes()
    assert (ran.folder / "rates" / "contact_sheet.png").exists()  # the curves of their losses
    recipe("[1e-6, 0.02, 0.005]")
    more = run(texts)
    assert more.made("train-text") == ["rates/learning_rate=0.005/training"]
    assert more.code == 0
    only = run(texts, "--only", "rates/learning_rate=0.02", "--force", "rates/learning_rate=0.02")
    assert only.made("train-text") == ["rates/learning_rate=0.02/training"]


TEXTS = """\
recipe: 1
models: {bert: {from: bert}}
datasets: {films: {texts: films.csv, test_size: 0.2}}
steps:
  rates:
    kind: sweep
    of: {kind: train-text, model: bert, data: films, max_length: 32, lora: {rank: 2}, train: {max_train_steps: 2}}
    over: {train.learning_rate: [0.02, 0.05]}
    best: {metric: held_out_loss, mode: min}
  more: {kind: train-text, model: bert, data: films, max_length: 32, lora: {rank: 2, from: rates.best}, train: {max_train_steps: 1}}
"""


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A tiny text model, and reviews beside it."""
    (tmp_path / ".lorakit").mkdir()
    (tmp_path / "bert").mkdir()
    save_bert(tmp_path / "bert")
    rows = "".join(f"the film was {w},{m}\n" for w, m in (("good", "pos"), ("bad", "neg")) * 10)
    (tmp_path / "films.csv").write_text("text,label\n" + rows)
    return tmp_path


@pytest.mark.slow
def test_a_training_of_texts_goes_on_from_the_best_of_a_sweep(films: Path) -> None:
    (films / "recipe.yaml").write_text(TEXTS)
    ran = run(films)
    assert ran.code == 0, ran.errors
    best = ran.folder / "rates" / "best" / "adapter_model.safetensors"
    winner = json.loads((ran.folder / "rates" / "metrics.json").read_text())["best"]
    assert best.read_bytes() == (ran.folder / "rates" / winner / best.name).read_bytes()
    before = load_file(best)
    after = load_file(ran.folder / "more" / best.name)
    assert before.keys() == after.keys()
    # one step of AdamW moves each weight by its rate at the most; a new adapter's B would be zero
    for name, tensor in before.items():
        assert float((after[name] - tensor).abs().max()) < 0.01, name
    assert any(float(t.abs().max()) > 0.01 for n, t in before.items() if "lora_B" in n)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("over: {", "over: {lora.rank: [2, 4], ", ["may have rank: 4, and this step 2", "leave rank out of what rates goes over"]),
        ("rank: 2, from", "rank: 8, from", ["may have rank: 2, and this step 8", "write rank: 2"]),
        ("over: {", "over: {method: [lora, full], ", ["may be no adapter: members of that sweep train every weight", "NNN/rates/best}}, and write model: mine"]),
        ("    best: {metric: held_out_loss, mode: min}\n", "", ["rates.best is no adapter"]),
        ("from: rates.best", "from: rates.bets", ["did you mean rates.best?"]),
    ],
)  # fmt: skip
def test_a_best_that_may_be_of_another_shape_is_refused_where_it_is_named(
    films: Path, old: str, new: str, words: list[str]
) -> None:
    text = TEXTS.replace(old, new, 1).replace(
        "lora: {rank: 2}, ", "" if "method" in new else "lora: {rank: 2}, "
    )
    (films / "recipe.yaml").write_text(text)
    told = lorakit(films, "plan")
    assert told.returncode == 3
    assert f"recipe.yaml:{len(text.splitlines())}:" in told.stderr
    for each in words:
        assert each in told.stderr, told.stderr
