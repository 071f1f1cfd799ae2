"""A1111's `parameters`, which Forge and many others write as well, and lorakit into its own pictures."""

from __future__ import annotations

import re

from lorakit.doors.generations import Generation, number, seed, whole

_PAIR = re.compile(r'\s*([\w][\w \-/]{0,60}):\s*("(?:\\.|[^\\"]){0,4000}"|[^,]{0,4000})(?:,|$)')
_KNOWN = {
    "Steps", "Sampler", "Schedule type", "CFG scale", "Seed", "Size", "Model", "Clip skip",
    "Denoising strength", "Model hash", "Version", "Lora hashes", "VAE hash", "TI hashes",
}  # fmt: skip
_NEGATIVE = "Negative prompt:"


def looks_like_one(text: str) -> bool:
    """Whether a text ends in a line of parameters."""
    return "Steps: " in text[-20_000:]


def read(text: str) -> Generation:
    """What was drawn, of one such text; one without a line of parameters is all prompt."""
    lines = text.strip().splitlines()
    pairs: dict[str, str] = {}
    for at in range(len(lines) - 1, -1, -1):
        if re.match(r"\s*Steps: \d", lines[at]):
            pairs = dict(_pairs("\n".join(lines[at:])))
            lines = lines[:at]
            break
    words, negative = _split(lines)
    made = Generation()
    made.take_words(words, negative)
    made.steps = whole(pairs.get("Steps"), 1, 1000)
    made.guidance_scale = number(pairs.get("CFG scale"), 0, 100)
    made.seed = seed(pairs.get("Seed"))
    made.model = pairs.get("Model", "")
    made.take_sampler(pairs.get("Sampler", ""), pairs.get("Schedule type", ""))
    size = re.fullmatch(r"(\d{1,5})x(\d{1,5})", pairs.get("Size", ""))
    if size:
        made.width, made.height = int(size[1]), int(size[2])
    made.clip_skip = (whole(pairs.get("Clip skip"), 1, 31) or 1) - 1
    _say(made, pairs)
    return made


def _pairs(text: str) -> list[tuple[str, str]]:
    found = [(m[1].strip(), m[2].strip()) for m in _PAIR.finditer(text)]
    return [(k, v[1:-1].replace('\\"', '"') if v.startswith('"') else v) for k, v in found]


def _split(lines: list[str]) -> tuple[str, str]:
    """The lines of the prompt and those from `Negative prompt:` on."""
    for at, line in enumerate(lines):
        if line.lstrip().startswith(_NEGATIVE):
            first = line.lstrip().removeprefix(_NEGATIVE)
            return "\n".join(lines[:at]), "\n".join([first, *lines[at + 1 :]])
    return "\n".join(lines), ""


def _say(made: Generation, pairs: dict[str, str]) -> None:
    if "Denoising strength" in pairs and not any(key.startswith("Hires") for key in pairs):
        made.notes.append(
            f"Denoising strength: {pairs['Denoising strength']}: it began from a picture, which is not in it"
        )
    if "Size" in pairs and made.width is None:
        made.notes.append(f"Size: {pairs['Size']}")
    if "Seed" in pairs and made.seed is None:
        made.notes.append(f"Seed: {pairs['Seed']}")
    made.notes += [f"{key}: {value}" for key, value in pairs.items() if key not in _KNOWN]
