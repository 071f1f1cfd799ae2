"""Signs that other tools read in a prompt, and lorakit draws as words: `((red))`, `<lora:x:0.8>`, BREAK.

Each is warned of with our own way of saying it. Weights are read in one form, `(red:1.3)`, by `weights.py`;
in captions of pictures that are learnt they are a sign as the others are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lorakit.language.story import weights
from lorakit.patterns import later

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node, Spot

_NO_WEIGHTS = (
    "what matters most goes first, in full; guidance_scale: pulls towards the whole prompt"
)
_CHOICE = "write each as a prompt or a sentence of its own, or vary a key by a step of kind: sweep"
_NAMELESS = (
    "write what is meant; characters stand in the sentences of a storyboard, "
    "and a step of kind: sweep varies a key"
)
_FLAGS = {
    "ar": "aspect: {}",
    "aspect": "aspect: {}",
    "no": "negative_prompt: {}",
    "seed": "seed: {}",
    "w": "width: {}",
    "h": "height: {}",
    "steps": "num_inference_steps: {}",
    "cfg": "guidance_scale: {}",
}


class Sign(NamedTuple):
    """A sign as it stands in a text, at `start`, what is the matter with it, and a way out."""

    start: int
    written: str
    message: str
    hint: str


def signs(text: str, *, braces: bool = True, weighed: bool = True) -> Iterator[Sign]:
    """Find the signs of other tools in a text, in their order; without `braces`, {a|b} is not one.

    Nor is `(red:1.3)` where words are `weighed`.
    """
    if not may_have_signs(text):
        return
    taken: list[range] = []
    signs_found: list[Sign] = []
    if weighed:
        signs_found += _doubled(text)
        taken += [range(sign.start, sign.start + len(sign.written)) for sign in signs_found]
    sought = weights.without_marks(text) if weighed else text
    for pattern, explain in _SIGNS:
        if pattern in (_BRACES, _NAME) and not braces:
            continue
        for match in pattern.finditer(sought):
            if any(match.start() in span for span in taken):
                continue
            explained = explain(match)
            if explained is not None:
                taken.append(range(match.start(), match.end()))
                written = text[match.start() : match.end()]
                message, hint = (
                    _as_written_here(written) if explain is _weight and weighed else explained
                )
                message = message.replace(match[0], written)
                signs_found.append(Sign(match.start(), written, message, " ".join(hint.split())))
    yield from sorted(signs_found)


def may_have_signs(text: str) -> bool:
    """Whether a text is worth a closer look."""
    return any(map(text.__contains__, _MARKS))


def check(
    node: Node | None,
    findings: Findings,
    *,
    braces: bool = True,
    brackets: str = "",
    weighed: bool = True,
) -> None:
    """Warn of the signs in a node that holds a text; `brackets` is the hint for [x] where there is one.

    Where words are `weighed`, a weight that no picture bears is an error.
    """
    if node is None or not isinstance(node.value, str):
        return
    cursor = node.start
    for sign in signs(node.value, braces=braces, weighed=weighed):
        spot, cursor = _sought(sign.written, node, cursor)
        hint = brackets if brackets and sign.written.startswith("[") else sign.hint
        if not any(d.place == spot.place and d.code == "prompt-syntax" for d in findings.all):
            findings.warning("prompt-syntax", sign.message, spot, hint)
    for weight in weights.weights(node.value) if weighed else ():
        if not weights.LEAST <= weight.value <= weights.MOST:
            written = node.value[weight.start : weight.end]
            spot, _ = _sought(written, node, node.start)
            if any(d.place == spot.place and d.code == "prompt-weight" for d in findings.all):
                continue
            findings.error(
                "prompt-weight",
                f"{written} has a weight of {weight.value:g}, and may have "
                f"{weights.LEAST:g} to {weights.MOST:g}",
                spot,
                "1 changes nothing, 1.3 is a good deal more, and 0 leaves the words out"
                if weight.value >= 0
                else "what shall not be seen stands in negative_prompt:",
                "if it is no weight, leave out the colon or the parentheses",
            )


def _sought(written: str, node: Node, cursor: int) -> tuple[Spot, int]:
    """Where something stands in a node's text from a place on, and where it ends."""
    spelled = re.compile(r"\s+".join(map(re.escape, written.split())))
    match = spelled.search(node.source.text, cursor, node.end)
    if match is None:
        return node.spot, cursor
    return node.source.spot_at(match.start(), len(written)), match.end()


def _doubled(text: str) -> Iterator[Sign]:
    """`((red:1.3))`: some tools weigh it a second time for the parentheses around it."""
    for weight in weights.weights(text):
        if (
            text[weight.start - 1 : weight.start] == "("
            and text[weight.end : weight.end + 1] == ")"
        ):
            written = text[weight.start - 1 : weight.end + 1]
            yield Sign(
                weight.start - 1,
                written,
                f"{written} has parentheses that are drawn as words: a weight has one pair",
                f"write ({text[weight.start + 1 : weight.colon]}:{weight.value:g}), "
                f"or ({text[weight.start + 1 : weight.colon]}:{weight.value * 1.1:.3g}) for more",
            )


def _as_written_here(written: str) -> tuple[str, str]:
    """What is the matter with a weight of another form, and how it is written."""
    words = re.sub(r"^\(+|\)+(?:[+-]+|[\d.]*)$|[+]+$|::(?:-?[\d.]+)?$", "", written).strip()
    number = re.search(r"(?:::|\)|:\s*)(\d+(?:\.\d+)?)\)*$", written)
    words = re.sub(r":\s*[\d.]+$", "", words)
    if number is not None:
        value = float(number[1])
    else:
        value = (
            0.9 ** written.count("-", written.rfind(")"))
            if written.endswith("-")
            else 1.1
            ** (
                len(written) - len(written.rstrip("+"))
                or len(written) - len(written.lstrip("("))
                or 1
            )
        )
    return (
        f"{written} is drawn as words: weights are written (words:1.2)",
        f"write ({words}:{value:.3g})",
    )


def _tag(match: re.Match[str]) -> tuple[str, str] | None:
    parts = match[0].strip("<>").split(":")
    kind = parts[0].strip().lower()
    if kind in ("lora", "lyco", "locon", "lycoris") and len(parts) > 1:
        name = re.sub(r"[^a-z0-9]+", "_", parts[1].lower()).strip("_")
        if not name or name[0].isdigit():
            name = f"lora_{name}".rstrip("_")
        weight = parts[2].strip() if len(parts) > 2 and _NUMBER.fullmatch(parts[2].strip()) else "1"
        source = f"{name}: {{from: path/to/{parts[1].strip()}.safetensors}}"
        return (
            f"{match[0]} is drawn as words: adapters stand in the recipe, not in a prompt",
            f"adapters: {{{name}: {weight}}} in its step; under adapters: of the recipe, {source}",
        )
    return (
        f"{match[0]} is drawn as words: lorakit loads no embeddings or hypernetworks by name",
        "remove it, or train an adapter that learns the same",
    )


def _weight(match: re.Match[str]) -> tuple[str, str]:
    return f"{match[0]} is drawn as words: words have no weights here", _NO_WEIGHTS


def _escaped(match: re.Match[str]) -> tuple[str, str]:
    return (
        f"{match[0]} is drawn as it stands, backslashes and all: parentheses mean nothing here",
        f"write {match[0].replace(chr(92), '')}",
    )


def _brackets(match: re.Match[str]) -> tuple[str, str]:
    inner = match[0].strip("[] ")
    if "|" in inner:
        return f"{match[0]} is drawn as words: prompts do not alternate between steps", _CHOICE
    if ":" in inner:
        return (
            f"{match[0]} is drawn as words: a prompt does not change between steps",
            "write two sentences: each frame of a chain starts from one before it",
        )
    return (
        f"{match[0]} is drawn as words, brackets and all: nothing is put in for it, nor is it weakened",
        f"a character of a storyboard is {{{inner}}}; what shall not be seen stands in negative_prompt:",
    )


def _choice(match: re.Match[str]) -> tuple[str, str]:
    return f"{match[0]} is drawn as words: nothing is chosen at random", _CHOICE


def _variable(match: re.Match[str]) -> tuple[str, str]:
    return (
        f"{match[0]} is drawn as words: nothing is put in for it here",
        _NAMELESS,
    )


def _capital(match: re.Match[str]) -> tuple[str, str] | None:
    text, word = match.string, match[0]
    around = (
        text[max(0, match.start() - 80) : match.start()].split()[-1:],
        text[match.end() : match.end() + 80].split()[:1],
    )
    if any(words and words[0].isupper() and len(words[0]) > 1 for words in around):
        return None  # all in capitals, as a title may be
    if word == "BREAK":
        return (
            "BREAK is drawn as a word: long prompts are read in chunks by themselves, at the ends of phrases",
            "leave it out; lorakit plan tells which prompts are read in chunks",
        )
    if not all(around):
        return None
    return (
        "AND is drawn as a word: prompts are not added up",
        "write and in small letters, or a sentence for each",
    )


def _flag(match: re.Match[str]) -> tuple[str, str]:
    ours = _FLAGS.get(match[1].lower())
    given = (match[2] or "").strip()
    return (
        f"{match[0].strip()} is drawn as words: a prompt has no options",
        f"write {ours.format(given or '...')}" if ours else "remove it",
    )


_NUMBER = later(r"-?(?:\d+(?:\.\d*)?|\.\d+)")
_NAME = later(r"(?<![{\w])\$?\{\s*[^\W\d][\w -]{0,40}\}(?!\})|(?<![$\w])\$[a-zA-Z_]\w*")
_BRACES = later(r"(?<!\{)\{[^{}|]*(?:\|[^{}|]*)+\}(?!\})")
_MARKS = ("(", "[", "{", "<", "__", "BREAK", "AND", "--", "::", "++", "$", "embedding:")
_SIGNS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], tuple[str, str] | None]], ...] = (
    (later(r"<[a-zA-Z_][\w-]*(?::[^<>\n]{1,200})?>"), _tag),
    (later(r"(?<!\w)embedding:[\w.-]+"), _tag),
    (later(r"(?<!\w)__(?!_)[\w./*-]{0,80}?[^\W_]__(?!\w)"), _choice),
    (_BRACES, _choice),
    (_NAME, _variable),
    (later(r"\({1,9}[^()\n]{1,200}?(?<!\d):\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)\s*\)+"), _weight),
    (later(r"\({2,9}[^()\n]{1,200}\){2,9}"), _weight),
    (later(r"\([^()\n:]{1,200}(?<!\d):\s*\d*\.\d+(?=\s|,|$)"), _weight),
    (
        later(r"\([^()\n]{1,200}\)(?:\++|-+|[\d.]*\d)(?!\w)|(?<!\w)[^\W\d_]{2,}\+{2,}(?![\w+])"),
        _weight,
    ),
    (later(r"\\\([^()\\\n]{1,200}\\\)"), _escaped),
    (later(r"\[{1,9}[^\[\]\n]{1,200}\]{1,9}"), _brackets),
    (later(r"(?<![\w-])(?:BREAK|AND)(?![\w-])"), _capital),
    (later(r"(?<![\w-])--([a-z]{1,8})(?=\s|$|,)[ \t]*([\w.:/]+)?", re.IGNORECASE), _flag),
    (later(r"(?<![\w)])[\w)]{1,60}::(?:-?\d+(?:\.\d+)?)?(?=\s|$)"), _weight),
)
