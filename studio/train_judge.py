"""Train a judge: a small network that names what a picture of the studio's world shows.

    python studio/compose.py --art CACHE --pool JUDGES --count 24000 --seed 501
    python studio/train_judge.py --build conv --pool JUDGES --work WORK --seconds 1500
    python studio/train_judge.py --export studio/judge --build conv --work WORK --art CACHE

``--build conv`` gives ``lorakit:studio-judge``, which serves the gate; ``--build next`` with
another ``--seed`` gives the examiner, another architecture, which scores our figures and serves
nothing else.  Pictures come from a pool with a seed that no model was trained on, and are harmed on
purpose (judge_data.py).  ``--seconds`` is the length of the whole schedule: a run that was stopped
goes on from its checkpoint.  ``--start`` begins with an exported judge.  A pool's ``styled.npy``
(make_hologram.py) takes the place of some of its pictures.  With ``--sharp`` none is blurred, and where
the pool has a ``melted.npy`` (make_melted.py) some of those come too, in which there is nothing to be
seen: a judge that is as strict as an eye.  ``--export`` writes float16 weights and
a JSON file with the judge's own accuracy on pictures of a fresh seed: below 98 % on the main
character it may not judge.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from captions import SETTING_SYNONYMS
from common import (
    Ema,
    Pace,
    load_checkpoint,
    log_line,
    open_pool,
    save_checkpoint,
    set_up_torch,
    to_pictures,
)
from compose import fetch_art, scene_number
from judge_data import RELATIONS, Labels, harmed, labels_of, nothing, partly, read_scenes
from looks import GRID, LOOSE
from make_hologram import small_hologram
from muon import Muon
from painting import Art, paint
from safetensors.torch import load_file, save_file
from scenes import Scene, load_world
from torch import Tensor, nn

from lorakit.rendering.judge_nets import JudgeNet, Seen, Sizes

LOG_EVERY, SAVE_EVERY = 60, 120  # seconds
HELD_OUT = 512  # the first pictures of a pool are never trained on
STYLED_SHARE = 0.5  # of pictures that the pool has in a style too
MELTED_SHARE = 0.2  # of all pictures, where the pool has some melted
FRESH_SEED, FRESH = 901, 2000  # composed for the judge's own examination
CPU = torch.device("cpu")


def world_sizes() -> Sizes:
    """How many of each the world has."""
    world = load_world()
    counts = (len(part) for part in (world.characters, world.hats, world.props, world.settings))
    return Sizes(*counts, relations=len(RELATIONS))


def judge_loss(seen: Seen, labels: Labels) -> Tensor:
    """Cross entropies of one-of-many, binary ones summed over characters and hats.

    Hats are few and learned last, so they weigh more.
    """
    count = len(labels["main"])
    many = [
        F.binary_cross_entropy_with_logits(
            getattr(seen, part).float(), labels[part], reduction="sum"
        )
        for part in ("characters", "hats")
    ]
    single = [
        weight * F.cross_entropy(getattr(seen, part).float(), labels[part], ignore_index=-1)
        for part, weight in (("main", 1.0), ("prop", 1.0), ("setting", 0.5), ("relation", 0.5))
    ]
    return torch.stack(single).sum() + (0.5 * many[0] + 1.5 * many[1]) / count


def hits(seen: Seen, labels: Labels) -> dict[str, Tensor]:
    """For each part, which of the pictures that have it are named right (bool)."""
    here = labels["main"] >= 0
    worn = labels["hats"].sum(1) > 0
    both = labels["characters"].sum(1) == 2
    characters = (seen.characters > 0) == (labels["characters"] > 0)
    return {
        "main": (seen.main.argmax(1) == labels["main"])[here],
        "characters": characters.all(1),
        "two_characters": characters.all(1)[both],
        "hats": ((seen.hats > 0) == (labels["hats"] > 0)).all(1)[worn],
        "no_hat": (seen.hats <= 0).all(1)[~worn],
        "prop": (seen.prop.argmax(1) == labels["prop"])[labels["prop"] > 0],
        "setting": (seen.setting.argmax(1) == labels["setting"])[labels["setting"] > 0],
        "relation": seen.relation.argmax(1) == labels["relation"],
    }


@torch.no_grad()
def accuracy(net: nn.Module, pictures: Tensor, labels: Labels) -> dict[str, float]:
    """Shares of pictures named right, in eval mode and fp32."""
    net.eval()
    counts: dict[str, list[Tensor]] = {}
    for rows in torch.arange(len(pictures)).split(128):
        seen = net(pictures[rows])
        for part, right in hits(seen, {k: v[rows] for k, v in labels.items()}).items():
            counts.setdefault(part, []).append(right)
    net.train()
    return {part: round(float(torch.cat(some).float().mean()), 4) for part, some in counts.items()}


def rate_factor(step: int, part: float) -> float:
    """Warm-up over 50 steps, level until 30 % of the schedule, then a line down to 1 %."""
    falling = 1.0 if part < 0.3 else 0.01 + 0.99 * max(0.0, 1 - part) / 0.7
    return min(1.0, (step + 1) / 50) * falling


class Run:
    """A training run: network, optimizers, averages, and how far they are."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        set_up_torch(args.seed)
        torch.set_num_threads(args.threads)
        args.work.mkdir(parents=True, exist_ok=True)
        self.net = JudgeNet(args.build, world_sizes()).to(memory_format=torch.channels_last)
        if args.start:
            self.net.load_state_dict(load_file(args.start / "judge.safetensors"))
        inner = [
            weight
            for name, weight in self.net.trunk.named_parameters()
            if weight.ndim in (2, 4)
            and weight.shape[1] > 3  # pictures and depthwise ones stay with AdamW
        ]
        known = set(map(id, inner))
        others = [weight for weight in self.net.parameters() if id(weight) not in known]
        self.adam = torch.optim.AdamW(others, lr=args.rate, betas=(0.9, 0.99), fused=True)
        self.muon = Muon(inner, lr=args.muon_rate, weight_decay=0.05)
        self.ema = Ema(self.net, decay=0.998)
        self.step, self.seconds = 0, 0.0
        self.pace = Pace()
        self.checkpoint: Path = args.work / f"judge_{args.build}.pt"
        if self.checkpoint.exists():
            self.resume()
        self.generator = torch.Generator().manual_seed(args.seed * 1_000_003 + self.step)

    def resume(self) -> None:
        """Go on from the checkpoint."""
        state = load_checkpoint(self.checkpoint)
        self.net.load_state_dict(state["model"])
        self.adam.load_state_dict(state["optimizer"])
        self.muon.load_state_dict(state["muon"])
        self.ema.load(state["ema"])
        self.step, self.seconds = state["step"], state["seconds"]

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "model": self.net.state_dict(),
            "optimizer": self.adam.state_dict(),
            "muon": self.muon.state_dict(),
            "ema": self.ema.state(),
            "step": self.step,
            "seconds": self.seconds,
        }
        save_checkpoint(self.checkpoint, state)

    def take_step(
        self,
        pool: np.ndarray,
        styled: np.ndarray | None,
        melted: np.ndarray | None,
        labels: Labels,
    ) -> float:
        """Learn from one batch; give its loss."""
        rows = torch.randint(HELD_OUT, len(pool), (self.args.batch,), generator=self.generator)
        rows = rows.sort().values
        gone = rows[:0]  # places in the batch where nothing is to be seen
        if melted is not None:
            dice = torch.rand(len(rows), generator=self.generator)
            gone = torch.nonzero(dice < MELTED_SHARE)[:, 0]
            rows[gone] = torch.randint(len(melted), (len(gone),), generator=self.generator)
        pictures = to_pictures(pool[rows.numpy()], CPU)
        if styled is not None:
            dice = torch.rand(len(rows), generator=self.generator)
            some = torch.nonzero((rows < len(styled)) & (dice < STYLED_SHARE))[:, 0]
            if len(some):
                theirs = to_pictures(styled[rows[some].numpy()], CPU)
                pictures[some] = partly(pictures[some], theirs, self.generator)
        asked = {part: values[rows] for part, values in labels.items()}
        pictures = harmed(pictures, self.generator, self.args.styled, not self.args.sharp)
        if melted is not None and len(gone) > 0:
            theirs = to_pictures(melted[rows[gone].numpy()], CPU)
            pictures[gone] = harmed(theirs, self.generator, self.args.styled, soft=False)
            asked = nothing(asked, gone)
        factor = rate_factor(self.step, self.seconds / self.args.seconds)
        self.adam.param_groups[0]["lr"] = self.args.rate * factor
        self.muon.param_groups[0]["lr"] = self.args.muon_rate * factor
        with torch.autocast("cpu", torch.bfloat16):
            seen = self.net(pictures)
        loss = judge_loss(seen, asked)
        if not torch.isfinite(loss):
            raise RuntimeError(f"the loss is not finite at step {self.step}")
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.adam.step()
        self.muon.step()
        self.net.zero_grad()
        self.ema.update(self.net)
        self.step += 1
        return float(loss.detach())

    def train(self) -> None:
        """Train until the schedule's time is spent."""
        pool = open_pool(self.args.pool)
        labels = labels_of(read_scenes(self.args.pool))
        styled, melted = (
            np.load(path, mmap_mode="r") if path.exists() else None
            for path in (self.args.pool / "styled.npy", self.args.pool / "melted.npy")
        )
        if not self.args.sharp:
            melted = None
        generator = torch.Generator().manual_seed(5)
        held = harmed(to_pictures(pool[:HELD_OUT], CPU), generator, soft=not self.args.sharp)
        held_labels = {part: values[:HELD_OUT] for part, values in labels.items()}
        losses: list[float] = []
        last_log = last_save = time.monotonic()
        while self.seconds < self.args.seconds:
            started = time.monotonic()
            losses.append(self.take_step(pool, styled, melted, labels))
            now = time.monotonic()
            self.seconds += self.pace.counted(now - started)
            if now - last_log > LOG_EVERY or self.seconds >= self.args.seconds:
                with self.ema.applied_to(self.net):
                    shares = accuracy(self.net, held, held_labels)
                log_line(
                    self.args.work / f"judge_{self.args.build}_log.jsonl",
                    step=self.step,
                    pictures=self.step * self.args.batch,
                    seconds=round(self.seconds),
                    loss=round(float(np.mean(losses)), 4),
                    held_out_harmed=shares,
                )
                losses.clear()
                last_log = time.monotonic()
            if now - last_save > SAVE_EVERY:
                self.save()
                last_save = time.monotonic()
        self.save()


def examine(net: nn.Module, art: Art, count: int) -> dict[str, Any]:
    """A judge's own accuracy on pictures of a seed nobody was trained on.

    As they are, in the look of the grid, harmed, and a quarter of them as holograms (which the
    examiner never learned).
    """
    scenes: list[Scene] = [scene_number(FRESH_SEED, n) for n in range(count)]
    rows, on_grid = (
        np.stack([np.asarray(paint(scene, art, look=look)) for scene in scenes])
        for look in (LOOSE, GRID)
    )
    pictures, labels = to_pictures(rows, CPU), labels_of(scenes)
    generator = torch.Generator().manual_seed(6)
    some = range(count // 4)
    shone = np.stack([small_hologram(scenes[n], art, np.random.default_rng(n)) for n in some])
    return {
        "seed": FRESH_SEED,
        "pictures": count,
        "plain": accuracy(net, pictures, labels),
        "grid": accuracy(net, to_pictures(on_grid, CPU), labels),
        "harmed": accuracy(net, harmed(pictures, generator), labels),
        "styled": accuracy(net, to_pictures(shone, CPU), labels_of(scenes[: len(some)])),
    }


def synonyms() -> dict[str, list[str]]:
    """Other words for what a judge tells apart, by its own names for it."""
    world = load_world()
    named = (world.characters, world.hats, world.props)
    found = {names[0]: names[1:] for kind in named for names in kind.values() if names[1:]}
    return {**found, **{name: list(others) for name, others in SETTING_SYNONYMS.items()}}


def export(run: Run, art: Path, folder: Path) -> None:
    """Write ``judge.safetensors`` (float16) and ``judge.json``, examined as they are on disk."""
    with run.ema.applied_to(run.net):
        weights = {
            name: (value.half() if value.is_floating_point() else value).clone().contiguous()
            for name, value in run.net.state_dict().items()
        }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "judge.safetensors")
    (folder / "judge.safetensors").chmod(0o644)
    run.net.load_state_dict(weights)
    world = load_world()
    card = {
        "build": run.args.build,
        "sizes": dataclasses.asdict(world_sizes()),
        "characters": {code: names[0] for code, names in world.characters.items()},
        "hats": {code: names[0] for code, names in world.hats.items()},
        "props": {code: names[0] for code, names in world.props.items()},
        "settings": list(world.settings),
        "relations": list(RELATIONS),
        "synonyms": synonyms(),
        "trained": {
            "seed": run.args.seed,
            "pictures": run.step * run.args.batch,
            "seconds": round(run.seconds),
        },
        "accuracy": examine(run.net, Art(fetch_art(art)), FRESH),
    }
    text = json.dumps(card, indent=1, ensure_ascii=False) + "\n"
    (folder / "judge.json").write_text(text, encoding="utf-8")
    print(json.dumps(card["accuracy"], indent=1))


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--build", choices=("conv", "next"), default="conv")
    parser.add_argument("--pool", type=Path, help="folder made by compose.py, for training")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints and log")
    parser.add_argument("--seconds", type=float, default=1500, help="length of the whole schedule")
    parser.add_argument("--start", type=Path, help="an exported judge to begin with")
    parser.add_argument("--export", type=Path, help="write the trained judge to this folder")
    parser.add_argument("--art", type=Path, help="folder with the npm package, for --export")
    parser.add_argument("--batch", type=int, default=64, help="pictures a step")
    parser.add_argument("--rate", type=float, default=2e-3, help="peak rate of AdamW")
    parser.add_argument("--muon-rate", type=float, default=2e-2, help="peak rate of Muon")
    parser.add_argument("--styled", type=float, default=0.1, help="part of pictures in one colour")
    parser.add_argument("--sharp", action="store_true", help="from sharp pictures alone")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=31)
    args = parser.parse_args()
    if args.pool is None and args.export is None:
        parser.error("--pool is needed to train, --export and --art to export")
    if args.export is not None and args.art is None:
        parser.error("--export needs --art")
    run = Run(args)
    if args.pool is not None:
        run.train()
    if args.export is not None:
        export(run, args.art, args.export)


if __name__ == "__main__":
    main()
