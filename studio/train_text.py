"""Warm up the studio's text encoder: from a sentence, name the parts of its scene.

    python studio/train_text.py --work WORK --seconds 120

Needs only ``WORK/tokenizer``; writes ``WORK/text.pt``, from which ``train_unet.py`` starts.  Every
state from the end token on must say, through linear heads that are then thrown away, who is there,
wearing what, doing what with which thing, and where.  So each token that the UNet attends to
carries the sentence; without this, 2,500 steps of joint training told settings apart, but not one
character from another.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import torch
from captions import caption
from common import choose_device, log_line, save_checkpoint, set_up_torch
from scenes import RELATION_WEIGHTS, Scene, draw_scene, load_world
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from train_unet import TEXT_WIDTH, Painter
from transformers import CLIPTokenizer

PLACES = 8  # states asked of each sentence


def questions() -> dict[str, list[str | None]]:
    """Give all answers to each question about a scene; None is "there is none"."""
    world = load_world()
    return {
        "first": [None, *world.characters],
        "second": [None, *world.characters],
        "first hat": [None, *world.hats],
        "second hat": [None, *world.hats],
        "prop": [None, *world.props],
        "setting": [None, *world.settings],
        "relation": list(RELATION_WEIGHTS),
    }


def answers(scene: Scene) -> list[str | None]:
    """Answer the questions, in their order."""
    first = scene.actors[0] if scene.actors else None
    second = scene.actors[1] if len(scene.actors) > 1 else None
    return [
        first.code if first else None,
        second.code if second else None,
        first.hat if first else None,
        second.hat if second else None,
        scene.prop,
        scene.setting,
        scene.relation,
    ]


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder with the tokenizer")
    parser.add_argument("--seconds", type=float, default=120, help="length of the schedule")
    parser.add_argument("--batch", type=int, default=48, help="sentences a step")
    parser.add_argument("--rate", type=float, default=1e-3, help="peak learning rate")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    device = choose_device(args.device)
    set_up_torch(args.seed)
    tokenizer = CLIPTokenizer.from_pretrained(args.work / "tokenizer")
    encoder = Painter(tokenizer).text_encoder.to(device)
    asked = questions()
    numbers = [{answer: n for n, answer in enumerate(known)} for known in asked.values()]
    sizes = [len(known) for known in asked.values()]
    heads = nn.Linear(TEXT_WIDTH, sum(sizes)).to(device)
    weights = [*encoder.parameters(), *heads.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=args.rate, betas=(0.9, 0.98), fused=True)
    rng = random.Random(args.seed)
    started, step, right = time.monotonic(), 0, torch.zeros(len(sizes))
    while (part := (time.monotonic() - started) / args.seconds) < 1:
        optimizer.param_groups[0]["lr"] = args.rate * min(1, (step + 1) / 30) * (1.02 - part)
        scenes = [draw_scene(rng) for _ in range(args.batch)]
        tokens = tokenizer(
            [caption(scene, rng) for scene in scenes],
            padding="max_length",
            truncation=True,
            return_tensors="pt",
        )
        wanted = torch.tensor(
            [[n[a] for n, a in zip(numbers, answers(s), strict=True)] for s in scenes]
        ).to(device)
        ids: Tensor = tokens.input_ids.to(device)
        ends = (ids == tokenizer.eos_token_id).int().argmax(1)
        far = (
            torch.rand(args.batch, PLACES).to(device) ** 2
        )  # the end token's neighbours more often
        places = ends[:, None] + (far * (ids.shape[1] - ends)[:, None]).long()
        places[:, 0] = ends
        with torch.autocast(device.type, torch.bfloat16):
            states = encoder(ids).last_hidden_state
            picked = states.gather(1, places[..., None].expand(-1, -1, TEXT_WIDTH))
            logits = heads(picked).float()
        loss = torch.zeros((), device=device)
        for number, said in enumerate(logits.split(sizes, -1)):
            truth = wanted[:, number, None].expand(-1, PLACES)
            loss = loss + cross_entropy(said.flatten(0, 1), truth.flatten())
            right[number] += (said.argmax(-1) == truth).float().mean().cpu()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        step += 1
        if step % 50 == 0:
            shares = {q: round(float(r) / 50, 3) for q, r in zip(asked, right, strict=True)}
            log_line(
                args.work / "text_log.jsonl",
                step=step,
                loss=round(float(loss.detach()), 3),
                **shares,
            )
            right.zero_()
    save_checkpoint(args.work / "text.pt", encoder.state_dict())


if __name__ == "__main__":
    main()
