"""The files of a tokenizer: which there are, and whether they hold words."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from lorakit.facts.models.model_configs import ModelError, read_json

_WORDS = ("tokenizer.json", "vocab.json")
_PIECES = "spiece.model"


def check_words(folder: Path, listing: frozenset[str], part: str) -> None:
    """Raise ModelError for a tokenizer's folder without words, or with some that nothing here reads."""
    if f"{part}/{_PIECES}" in listing and not any(f"{part}/{file}" in listing for file in _WORDS):
        if importlib.util.find_spec("sentencepiece") is None:
            raise ModelError(
                f"{folder / part} has words for SentencePiece alone ({_PIECES})",
                "pip install sentencepiece, with which transformers reads them",
            )
        return
    if not any(f"{part}/{file}" in listing for file in _WORDS):
        raise ModelError(
            f"{folder / part} has neither tokenizer.json nor vocab.json and merges.txt"
        )
    for file in _WORDS:
        if f"{part}/{file}" not in listing:
            continue
        told = read_json(folder / part / file, f"{part}/{file}")
        words = told.get("model") if file == _WORDS[0] else told
        if not isinstance(words, dict) or not words:
            raise ModelError(f"{part}/{file} of the model in {folder} holds no words")


def counted_by(folder: Path, part: str) -> Path | None:
    """The tokenizer that prompts are counted with; None where only SentencePiece could."""
    there = any((folder / part / name).is_file() for name in _WORDS)
    return folder / part if there else None
