"""Signs that other tools read in a prompt, and lorakit draws as words: `(red:1.3)`, `<lora:x:0.8>`, BREAK.

Each is warned of with our own way of saying it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from lorakit.patterns import later

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

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


def signs(text: str, *, braces: bool = True) -> Iterator[Sign]:
    """Find the signs of other tools in a text, in their order; without `braces`, {a|b} is not one."""
    if not may_have_signs(text):
        return
    taken: list[range] = []
    signs_found: list[Sign] = []
    for pattern, explain in _SIGNS:
        if pattern in (_BRACES, _NAME) and not braces:
            continue
        for match in pattern.finditer(text):
            if any(match.start() in span for span in taken):
                continue
            explained = explain(match)
            if explained is not None:
                taken.append(range(match.start(), match.end()))
                signs_found.append(Sign(match.start(), match[0], *explained))
    yield from sorted(signs_found)


def may_have_signs(text: str) -> bool:
    """Whether a text is worth a closer look."""
    return any(map(text.__contains__, _MARKS))


def check(
    node: Node | None, findings: Findings, *, braces: bool = True, brackets: str = ""
) -> None:
    """Warn of the signs in a node that holds a text; `brackets` is the hint for [x] where there is one."""
    if node is None or not isinstance(node.value, str):
        return
    raw, cursor = node.source.text, node.start
    for sign in signs(node.value, braces=braces):
        spelled = re.compile(r"\s+".join(map(re.escape, sign.written.split())))
        match = spelled.search(raw, cursor, node.end)
        spot = node.source.spot_at(match.start(), len(sign.written)) if match else node.spot
        cursor = match.end() if match else cursor
        hint = brackets if brackets and sign.written.startswith("[") else sign.hint
        if not any(d.place == spot.place and d.code == "prompt-syntax" for d in findings.all):
            findings.warning("prompt-syntax", sign.message, spot, hint)


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
            "BREAK is drawn as a word: a prompt is one piece, as long as the text encoder reads",
            "leave it out; lorakit plan tells where a prompt is too long",
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
