"""Frames a second: `lorakit run` against the loop one would otherwise write with diffusers.

    python benchmarks/rendering.py [--rounds 3] [--model lorakit:studio] [--only "one changed frame"]

The plain loop loads its pipelines once, keeps the same scheduler, effective steps and size, hands PIL
pictures from frame to frame and prompts as strings, and saves PNGs. lorakit is a real run in a store of
its own, from the moment its worker is ready to the last frame on disk: encoding prompts, finding narrow
waves, hashing, fsyncs and all. Loading is left out on both sides. The two take turns; medians are shown.
The last row is of a transformer, each of whose frames is a call of diffusers' own pipeline (`calls.py`).
Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import calls as of_calls

SCENES, FRAMES, STEPS = 8, 5, 20
SETTINGS = [
    "in a green meadow",
    "in a forest",
    "in a garden",
    "in the desert",
    "on mars",
    "on the beach",
    "in the snow",
    "in the city",
]
HEROES = ["a white bunny", "a fox", "a bear", "a panda", "a robot", "a penguin", "an owl", "a cat"]
DEEDS = [
    "finds a golden key",
    "looks at a wooden door",
    "holds a red apple",
    "finds a gift",
    "looks at a castle",
]
MIXED = [1.0, 0.4, 0.8, 0.5, 0.7]


def board(strengths: list[float], change: bool = False) -> str:
    """A storyboard of 8 scenes, 5 frames each, chained to the frame before."""
    lines = [
        "storyboard: 1",
        f"look: {{num_inference_steps: {STEPS}}}",
        "chain: {from: previous}",
        "scenes:",
    ]
    for scene in range(SCENES):
        lines += [f"  - name: scene_{scene}", f"    setting: {SETTINGS[scene]}", "    sentences:"]
        for frame in range(FRAMES):
            deed = DEEDS[frame]
            if change and scene == SCENES - 1 and frame == FRAMES - 1:
                deed = "holds a red balloon"
            text = f"{HEROES[scene]} {deed}"
            lines.append(f"      - {{text: {text}, strength: {strengths[frame]}}}")
    return "\n".join(lines) + "\n"


def prompts() -> list[list[str]]:
    """The same prompts as the storyboard's, by scene."""
    return [[f"{HEROES[s]} {deed}, {SETTINGS[s]}" for deed in DEEDS] for s in range(SCENES)]


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONUTF8": "1",
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_VERBOSITY": "error",
        "DIFFUSERS_VERBOSITY": "error",
    }


def run_ours(home: Path, dtype: str, model: str) -> tuple[float, dict[str, int], int]:
    """Seconds from the ready worker to the last frame, calls of the networks, frames made."""
    (home / "recipe.yaml").write_text(
        f"recipe: 1\nname: bench\nseed: 1\nmodels: {{m: {{from: '{model}', dtype: {dtype}}}}}\n"
        "steps:\n  film: {kind: storyboard, storyboard: board.yaml, model: m}\n"
    )
    return run_recipe(home, "scene_")


def run_recipe(home: Path, frame: str) -> tuple[float, dict[str, int], int]:
    """The same of the recipe that stands in a folder, where addresses of frames have a word in them."""
    done = subprocess.run(
        [sys.executable, "-m", "lorakit", "run", "--json"],
        cwd=home,
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    events = [json.loads(line) for line in done.stdout.splitlines()]
    ready = next(
        e["at"]
        for e in events
        if e["type"] == "worker" and e["state"] == "ready" and e["slot"] == "render"
    )
    frames = [
        e
        for e in events
        if e["type"] == "action-finished" and e["outcome"] == "made" and frame in e["action"]
    ]
    return frames[-1]["at"] - ready, events[-1]["calls"], len(frames)


def plain(folder: Path, dtype: str, strengths: list[float], only_last: bool) -> None:
    """The loop of diffusers' documentation; prints its seconds and calls as JSON."""
    import torch
    from diffusers import StableDiffusionImg2ImgPipeline, StableDiffusionPipeline
    from PIL import Image

    torch.set_flush_denormal(True)
    kind = {"fp32": torch.float32, "bf16": torch.bfloat16}[dtype]
    text = StableDiffusionPipeline.from_pretrained(folder, dtype=kind, safety_checker=None)
    text.set_progress_bar_config(disable=True)
    # from_pipe would drop an AutoencoderTiny
    chained = StableDiffusionImg2ImgPipeline(**text.components, requires_safety_checker=False)
    chained.set_progress_bar_config(disable=True)
    calls: Counter[str] = Counter()
    for name, part in (
        ("unet", text.unet),
        ("text_encoder", text.text_encoder),
        ("vae_decoder", text.vae.decoder),
        ("vae_encoder", text.vae.encoder),
    ):
        part.register_forward_hook(lambda *_, name=name: calls.update([name]))
    size = text.unet.config.sample_size * text.vae_scale_factor
    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        count = 0
        for scene, lines in enumerate(prompts()):
            picture = None
            if only_last:
                if scene < SCENES - 1:
                    continue
                picture = Image.new("RGB", (size, size), "gray")
            for frame, prompt in enumerate(lines[-1:] if only_last else lines):
                strength = strengths[-1] if only_last else strengths[frame]
                generator = torch.Generator("cpu").manual_seed(1000 * scene + frame)
                if picture is None or strength >= 1:
                    picture = text(prompt, num_inference_steps=STEPS, generator=generator).images[0]
                else:
                    picture = chained(
                        prompt,
                        image=picture,
                        strength=strength,
                        num_inference_steps=STEPS,
                        generator=generator,
                    ).images[0]
                picture.save(f"{out}/{scene}_{frame}.png")
                count += 1
        seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "calls": calls, "frames": count}))


def run_plain(
    folder: Path, dtype: str, strengths: list[float], only_last: bool
) -> tuple[float, dict[str, int], int]:
    words = [
        sys.executable,
        __file__,
        "--plain",
        str(folder),
        "--dtype",
        dtype,
        "--strengths",
        json.dumps(strengths),
    ]
    done = subprocess.run(
        words + (["--only-last"] if only_last else []),
        env=environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    told = json.loads(done.stdout.splitlines()[-1])
    return told["seconds"], told["calls"], told["frames"]


def compare(
    title: str,
    strengths: list[float],
    dtypes: tuple[str, str],
    rounds: int,
    model: str,
    folder: Path,
    only_last: bool = False,
) -> None:
    ours, theirs = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as temporary:
            home = Path(temporary)
            (home / ".lorakit").mkdir()
            (home / "board.yaml").write_text(board(strengths))
            found = run_ours(home, dtypes[0], model)
            if only_last:
                (home / "board.yaml").write_text(board(strengths, change=True))
                found = run_ours(home, dtypes[0], model)
            ours.append(found)
        theirs.append(run_plain(folder, dtypes[1], strengths, only_last))
    show(title, dtypes, ours, theirs)


Found = list[tuple[float, dict[str, int], int]]


def show(title: str, dtypes: tuple[str, str], ours: Found, theirs: Found) -> None:
    """Print a row."""
    rates = [
        statistics.median(frames / seconds for seconds, _, frames in side)
        for side in (ours, theirs)
    ]
    ratio = statistics.median(
        (a[2] / a[0]) / (b[2] / b[0]) for a, b in zip(ours, theirs, strict=True)
    )
    print(
        f"{title:28} {dtypes[0]:>4}/{dtypes[1]:4} {rates[0]:7.2f} {rates[1]:7.2f} {ratio:6.2f}x",
        end="   ",
    )
    names = ("unet", "vae_encoder", "vae_decoder", "text_encoder")
    print(*(f"{ours[0][1].get(n, 0):5}/{theirs[0][1].get(n, 0):<5}" for n in names), flush=True)


def compare_calls(rounds: int) -> None:
    ours: Found = []
    theirs: Found = []
    with tempfile.TemporaryDirectory() as temporary:
        model = of_calls.save(Path(temporary))
        for number in range(rounds):
            home = Path(temporary) / f"{number}"
            (home / ".lorakit").mkdir(parents=True)
            shutil.copytree(model, home / "model")
            (home / "recipe.yaml").write_text(of_calls.recipe(home / "model"))
            ours.append(run_recipe(home, "film/"))
            theirs.append(run_plain(model, "calls", [], only_last=False))
    show(of_calls.TITLE, ("fp32", "fp32"), ours, theirs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="lorakit:studio")
    parser.add_argument("--only", default="", help="one of the comparisons, by its name")
    parser.add_argument("--plain", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--dtype", help=argparse.SUPPRESS)
    parser.add_argument("--strengths", help=argparse.SUPPRESS)
    parser.add_argument("--only-last", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.plain and args.dtype == "calls":
        of_calls.plain(args.plain)
        return
    if args.plain:
        plain(args.plain, args.dtype, json.loads(args.strengths), args.only_last)
        return
    from lorakit import resources
    from lorakit.facts.machine.this_machine import this_machine

    folder = resources.path("studio") if args.model == "lorakit:studio" else Path(args.model)
    machine = this_machine()
    print(f"{machine.name}, {machine.device_class}; auto is {machine.precision('auto')} here")
    print(
        f"{SCENES} scenes of {FRAMES} chained frames, {STEPS} steps; "
        f"medians of {args.rounds}; ours / plain diffusers"
    )
    print(
        f"{'':28} {'precision':>9} {'frames/s':>15} {'ratio':>7}   "
        + " ".join(f"{name:>11}" for name in ("unet", "vae enc", "vae dec", "text enc"))
    )
    fixed = [1.0, *[0.6] * (FRAMES - 1)]
    pairs = [("fp32", "fp32"), ("auto", "fp32")]
    if machine.fast_bf16:
        pairs.append(("auto", "bf16"))
    for title, strengths, last in (
        ("one strength", fixed, False),
        ("mixed strengths", MIXED, False),
        ("one changed frame", fixed, True),
    ):
        for pair in pairs if args.only in ("", title) else ():
            compare(title, strengths, pair, args.rounds, args.model, folder, last)
    if args.only in ("", of_calls.TITLE):
        compare_calls(args.rounds)


if __name__ == "__main__":
    main()
