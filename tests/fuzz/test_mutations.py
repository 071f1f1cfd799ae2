"""Good documents, damaged: whatever comes out is read or refused in words, never with a traceback.

python tests/fuzz/test_mutations.py --tries 5000 [--seed 1]
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from pathlib import Path, PurePosixPath

import pytest

from lorakit.diagnostics import InvalidDocument, render
from lorakit.language import load

ROOT = Path(__file__).resolve().parents[2]
HOME = Path("/project").absolute()
BASE = """\
recipe: 1
name: base
models:
  studio: {from: "lorakit:studio"}
  sd14: {from: "hub:CompVis/stable-diffusion-v1-4", dtype: bf16}
adapters:
  ink: {from: ink.safetensors}
datasets: {hologram: {images: "lorakit:hologram", caption: "{caption}, in light"}}
steps:
  film: {kind: storyboard, storyboard: board.yaml, model: studio, adapters: {ink: 0.8}}
  posters: {kind: generate, prompts: [a robot, {text: a fox, seed: 3}], width: 512, height: 512}
  joined: {kind: video, of: [film, posters], transition: {kind: crossfade, seconds: 12f}}
  ranks:
    kind: sweep
    of: {kind: train-image, data: hologram, model: studio, train: {max_train_steps: 9, learning_rate: 1e-4}}
    over: {lora.rank: [2, 4], train.learning_rate: {min: 1e-5, max: 1e-3, scale: log}}
    random: 3
    best: {metric: held_out_loss, mode: min}
  many: {kind: sweep, of: film, over: [{storyboard.chain.strength: 0.4}, {adapters: {ranks.best: 1}}], seeds: [1, 2]}
  table: {kind: compare, of: [film, posters]}
profiles:
  gpu: {models: {studio: null}, steps: {film: {model: sd14}}}
"""
TOP = "extends: base.yaml\nseed: 9\nsteps:\n  posters: {images_per_prompt: 4, scheduler: ddim}\n"
BOARD = """\
storyboard: 1
look: {style: "soft 3d illustration", num_inference_steps: 20, guidance_scale: 5.0, aspect: 16:9}
characters:
  bunny: {anchor: "a white bunny with a magic hat", name: the bunny, aliases: [rabbit], pronouns: he}
  alien: {anchor: an alien explorer, pronouns: she}
chain: {from: previous, strength: 0.55, anchor_weight: 0.1}
scenes:
  - name: meadow
    setting: in a green meadow
    sentences:
      - The bunny finds a golden key
      - {text: "{bunny} looks at {{a door}}", strength: 0.7, hold: 2.0}
      - {text: 'His key glows', repeat: true, seed: 3}
  - text: >
      The bunny lands on Mars. He meets an alien
      explorer, who shows him a ball.
    start: scene:meadow
video: {fps: 24, hold: 1:01.5, height: 720, transition: {kind: crossfade, seconds: 0.4}, captions: true}
"""
TOKENS = (
    "{", "}", "[", "]", ": ", "- ", "#", " #", "&a ", "*a", "!x ", "'", '"', "|", ">", "%", "@", "`", "\t",
    "\n", "\r\n", "\r", "\x00", "\x85", "\u2028", "\ufeff", "~", "null", "true", "no", "1e400", ".nan", "-0",
    "99999999999999999999999999999999999999999999", "1e-4", "36f", "1:23.5", "0f", "{bunny}", "{nobody}",
    "{{", "}}", "He ", "her hat", "it", "They", "\U0001f430", "e\u0301", "\ud7ff", "<<: ", "? ", "---\n",
    "...\n", "%YAML 1.1\n", "\\", '"\\ud800"', '"\\0"', "extends: base.yaml\n", "start: previous-scene",
    "../../x.yaml", "sd:x", "~nobody/x", "C:\\x", "a" * 5000, "[" * 200, "{a: " * 200, "- " * 200,
    "scene:meadow", "lorakit:", "hub:", "hub:a/b/c", "text: ", "sentences: ", "width: 7", "1.0", "0x10",
)  # fmt: skip
SETTINGS = (
    "seed=3", "steps.film.model=sd14", "steps.posters.prompts=[a, b]", "scenes.1.chain.strength=0.4",
    "steps.film=", "look.style={", "a.b.c=1", "=", "seed", "steps..x=1", "steps.posters.prompts.9=x",
    "video.fps=1e400", "steps.film.adapters={ink: 1}", "characters.bunny.anchor=x: y", "\x00=1", "seed=*a",
)  # fmt: skip


class Files:
    """A reader of files that stand nowhere but here."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = {str(HOME / name): data for name, data in files.items()}

    def read_bytes(self, path: Path) -> bytes:
        try:
            return self._files[str(path)]
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory", str(path)) from None

    def exists(self, path: Path) -> bool:
        return str(path) in self._files or path == HOME / ".git"

    def is_file(self, path: Path) -> bool:
        return str(path) in self._files

    def names(self, folder: Path) -> tuple[str, ...]:
        return tuple(sorted(one.name for one in map(Path, self._files) if one.parent == folder))

    def resolve(self, path: Path) -> Path:
        parts: list[str] = []
        for part in PurePosixPath(path.absolute().as_posix()).parts:
            if part == "..":
                parts = parts[:-1] or parts
            else:
                parts.append(part)
        return Path(*parts)

    def display(self, path: Path) -> str:
        return path.name


def mutated(data: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        data = rng.choice((_bytes, _lines, _tokens, _tokens, _words))(data, rng)
    return data


def _bytes(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    what = rng.randrange(4)
    if what == 0:
        return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    if what == 1:
        return data[:at] + data[at + rng.randrange(1, 20) :]
    if what == 2:
        return data[:at] + bytes(rng.randrange(256) for _ in range(rng.randrange(1, 5))) + data[at:]
    return data[:at]


def _lines(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    what = rng.randrange(6)
    if what == 0:
        del lines[at]
    elif what == 1:
        lines.insert(other, lines[at])
    elif what == 2:
        lines[at], lines[other] = lines[other], lines[at]
    elif what == 3:
        lines[at] = b" " * rng.randrange(1, 7) + lines[at]
    elif what == 4:
        lines[at] = lines[at][rng.randrange(1, 5) :]
    else:
        lines[at] += lines[other]
    return b"\n".join(lines)


def _tokens(data: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(data) + 1)
    token = rng.choice(TOKENS).encode("utf-8", "surrogatepass")
    return data[:at] + token + data[at + rng.choice((0, 0, 1, 5)) :]


def _words(data: bytes, rng: random.Random) -> bytes:
    words = data.split(b" ")
    at, other = rng.randrange(len(words)), rng.randrange(len(words))
    if rng.random() < 0.5:
        words[at] = words[other]
    else:
        words[at] = rng.choice(TOKENS).encode("utf-8", "surrogatepass")
    return b" ".join(words)


def attempt(rng: random.Random) -> bool:
    """Damage something and read it; whether it was still good."""
    files = {
        "top.yaml": TOP.encode(),
        "base.yaml": BASE.encode(),
        "board.yaml": BOARD.encode(),
        "ink.safetensors": b"",
    }
    for name in rng.sample(["top.yaml", "base.yaml", "board.yaml"], rng.choice((1, 1, 1, 2))):
        files[name] = mutated(files[name], rng)
    settings = [rng.choice(SETTINGS)] if rng.random() < 0.2 else []
    if settings and rng.random() < 0.5:
        settings = [mutated(settings[0].encode(), rng).decode("utf-8", "surrogateescape")]
    try:
        project = load(
            HOME / rng.choice(["top.yaml", "top.yaml", "board.yaml"]),
            settings=settings,
            profile=rng.choice((None, None, "gpu", "cpu")),
            reader=Files(files),
        )
        found = project.warnings
    except InvalidDocument as error:
        found = error.diagnostics
        assert error.errors  # noqa: PT017 - not every try ends here
    for style in ("text", "json", "github"):
        render(found, style).encode("utf-8")
    for one in found:
        assert one.message, one
        assert one.excerpt is not None or one.place is None or one.place.line == 1, one
    return not any(one.severity == "error" for one in found)


def test_the_undamaged_documents_are_good() -> None:
    files = {"top.yaml": TOP, "base.yaml": BASE, "board.yaml": BOARD, "ink.safetensors": ""}
    project = load(HOME / "top.yaml", reader=Files({k: v.encode() for k, v in files.items()}))
    assert list(project.recipe.steps)[:3] == ["film", "posters", "joined"]
    assert len(project.recipe.steps) == 6


@pytest.mark.slow
def test_no_damage_ends_in_a_traceback() -> None:
    good = sum(attempt(random.Random(seed)) for seed in range(500))
    assert 10 < good < 490


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    began = time.perf_counter()
    good = failed = 0
    slowest = (0.0, 0)
    for seed in range(options.seed, options.seed + options.tries):
        start = time.perf_counter()
        try:
            good += attempt(random.Random(seed))
        except Exception:  # noqa: BLE001 - any traceback is what we look for
            failed += 1
            print(f"--- seed {seed}", file=sys.stderr)
            traceback.print_exc()
        slowest = max(slowest, (time.perf_counter() - start, seed))
    seconds = time.perf_counter() - began
    refused = options.tries - good - failed
    print(f"{options.tries} tries in {seconds:.1f} s: {good} read, {refused} refused in words")
    print(f"{failed} tracebacks; slowest {slowest[0]:.2f} s (seed {slowest[1]})")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
