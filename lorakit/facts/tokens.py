"""Counting a text encoder's tokens without torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# what CLIP splits text into before its merges (Radford et al. 2021, the released code)
_CLIP_WORDS = r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""


def _from_merges(folder: Path) -> Any:
    """A CLIP tokenizer from vocab.json and merges.txt, which is all that older hub models have."""
    from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import BPE

    vocabulary = json.loads((folder / "vocab.json").read_text("utf-8"))
    lines = (folder / "merges.txt").read_text("utf-8").splitlines()
    pairs = (line.split() for line in lines if line and not line.startswith("#version"))
    merges = [(first, second) for first, second in pairs]
    tokenizer = Tokenizer(
        BPE(vocab=vocabulary, merges=merges, end_of_word_suffix="</w>", unk_token="<|endoftext|>")  # noqa: S106
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_CLIP_WORDS), behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    return tokenizer


class TokenCounter:
    """Counts as the model's own tokenizer does; `limit` includes the start and end tokens."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._tokenizer: Any = None
        self.limit = limit

    def _load(self) -> Any:
        if self._tokenizer is None:
            whole = self._folder / "tokenizer.json"
            if whole.is_file():
                from tokenizers import Tokenizer

                self._tokenizer = Tokenizer.from_file(str(whole))
                self._tokenizer.no_truncation()
                self._tokenizer.no_padding()
            else:
                self._tokenizer = _from_merges(self._folder)
        return self._tokenizer

    def count(self, text: str) -> int:
        """Tokens of `text` with the start and end tokens."""
        return len(self._load().encode(text, add_special_tokens=False).ids) + 2

    def counts(self, texts: Sequence[str]) -> list[int]:
        """The same of many texts at once."""
        encodings = self._load().encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding.ids) + 2 for encoding in encodings]

    def overflow(self, texts: Sequence[str]) -> dict[str, tuple[int, str]]:
        """For each text over the limit: its tokens, and the words that would fall off."""
        # a token is at least one byte, so short texts need no counting
        suspects = [t for t in dict.fromkeys(texts) if len(t.encode()) + 2 > self.limit]
        if not suspects:
            return {}
        found = {}
        encodings = self._load().encode_batch(suspects, add_special_tokens=False)
        for text, encoding in zip(suspects, encodings, strict=True):
            if len(encoding.ids) + 2 > self.limit:
                start = encoding.offsets[self.limit - 2][0]
                while start > 0 and not text[start - 1].isspace():
                    start -= 1  # a word that is cut in half falls off whole
                found[text] = (len(encoding.ids) + 2, text[start:].strip())
        return found
