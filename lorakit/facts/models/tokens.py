"""Counting a text encoder's tokens without torch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lorakit.facts.models.model_configs import ModelError

# what CLIP splits text into before its merges (Radford et al. 2021, the released code)
_CLIP_WORDS = r"""'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""

# and Qwen 2 (Yang et al. 2024), as GPT-4 does but for numbers, of which each digit is a word
_QWEN_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def _from_merges(folder: Path) -> Any:
    """A CLIP tokenizer from vocab.json and merges.txt, which is all that older hub models have."""
    from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import BPE

    merges = read_merges(folder / "merges.txt")
    told = folder / "vocab.json"
    vocabulary = json.loads(told.read_text("utf-8")) if told.is_file() else clip_vocabulary(merges)
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


def _from_qwen(folder: Path) -> Any:
    """Qwen's tokenizer from vocab.json and merges.txt: bytes, with no mark where a word ends."""
    from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
    from tokenizers.models import BPE

    merges = read_merges(folder / "merges.txt")
    vocabulary = json.loads((folder / "vocab.json").read_text("utf-8"))
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_QWEN_WORDS), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    return tokenizer


def read_merges(file: Path) -> list[tuple[str, str]]:
    """The pairs of letters that a tokenizer joins, in order. Raises OSError, ValueError."""
    lines = file.read_text("utf-8").splitlines()
    pairs = (line.split() for line in lines if line and not line.startswith("#version"))
    return [(first, second) for first, second in pairs]


def clip_vocabulary(merges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """CLIP's tokens by number, which follow from its merges: bytes, bytes that end a word, merges, two marks.

    A byte that can be printed is its own letter; the others are letters from 256 on, as GPT-2 has it.
    """
    printed = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printed]
    letters = [chr(byte) for byte in printed] + [chr(256 + n) for n in range(len(others))]
    ends = [f"{letter}</w>" for letter in letters]
    joined = ["".join(pair) for pair in merges]
    marks = ["<|startoftext|>", "<|endoftext|>"]
    return {token: number for number, token in enumerate([*letters, *ends, *joined, *marks])}


# ends of phrases, at which compel cuts a prompt that is too long for one reading
_PHRASE_ENDS = frozenset({".</w>", ",</w>", ";</w>", ":</w>"})


class Chunks(NamedTuple):
    """A prompt as it is read in chunks: its tokens with the marks around it, and the text of each chunk."""

    tokens: int
    texts: tuple[str, ...]


class TokenCounter:
    """Counts as the model's own tokenizer does; `limit` includes the tokens put around each text."""

    def __init__(
        self,
        folder: Path,
        limit: int,
        complain: Callable[[str], Exception] = ModelError,
        marks: int = 2,
    ) -> None:
        """`complain` makes the error that tells of a tokenizer which cannot be read, once it is asked for.

        `marks` are the tokens that are put around each text: CLIP's start and end.
        """
        self._marks = marks
        self._folder = folder
        self._complain = complain
        self._tokenizer: Any = None
        self._chunks: dict[tuple[str, ...], Chunks] = {}
        self._fit: dict[str, bool] = {}
        self.limit = limit

    def _load(self) -> Any:
        if self._tokenizer is None:
            try:
                self._tokenizer = self._read()
            except Exception as error:
                words = f"the tokenizer in {self._folder} cannot be read: {error}"
                raise self._complain(words) from error
        return self._tokenizer

    def _read(self) -> Any:
        whole = self._folder / "tokenizer.json"
        if not whole.is_file():
            if (self._folder / "added_tokens.json").is_file():
                return _from_qwen(self._folder)
            return _from_merges(self._folder)
        from tokenizers import Tokenizer

        read = Tokenizer.from_file(str(whole))
        read.no_truncation()
        read.no_padding()
        return read

    def count(self, text: str) -> int:
        """Tokens of `text` with those that are put around it."""
        return len(self._load().encode(text, add_special_tokens=False).ids) + self._marks

    def counts(self, texts: Sequence[str]) -> list[int]:
        """The same of many texts at once."""
        encodings = self._load().encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding.ids) + self._marks for encoding in encodings]

    def fits(self, text: str) -> bool:
        """Whether a text is within the limit; it is counted once."""
        found = self._fit.get(text)
        if found is None:
            self.count_all([text])
            found = self._fit[text]
        return found

    def count_all(self, texts: Iterable[str]) -> None:
        """Count texts that `fits` will be asked for, all at once."""
        new = [text for text in dict.fromkeys(texts) if text not in self._fit]
        self._fit.update((text, True) for text in new if self._is_short(text))
        if unknown := [text for text in new if text not in self._fit]:
            fit = [count <= self.limit for count in self.counts(unknown)]
            self._fit.update(zip(unknown, fit, strict=True))

    def _is_short(self, text: str) -> bool:
        """Whether a text fits uncounted: a token is at least one byte."""
        return len(text.encode()) + self._marks <= self.limit

    def chunks(self, pieces: Sequence[str]) -> Chunks:
        """How a prompt is read that is handed over in pieces, each of which is tokenized by itself.

        Chunks end where compel ends them, in its mode PHRASES: at the last end of a phrase that fits, else at
        the last word's.
        """
        name = tuple(pieces)
        if name not in self._chunks:
            self._chunks[name] = self._chunked(name)
        return self._chunks[name]

    def _chunked(self, pieces: Sequence[str]) -> Chunks:
        room = self.limit - self._marks
        tokens: list[str] = []
        places: list[int] = []
        before = 0
        for piece, found in zip(
            pieces, self._load().encode_batch(list(pieces), add_special_tokens=False), strict=True
        ):
            tokens += found.tokens
            places += [before + start for start, _ in found.offsets]
            before += len(piece)
        cuts = [0]
        while len(tokens) - cuts[-1] > room:
            cuts.append(cuts[-1] + _first_part(tokens[cuts[-1] : cuts[-1] + room]))
        text = "".join(pieces)
        ends = [*(places[cut] for cut in cuts[1:]), len(text)]
        starts = [0, *ends[:-1]]
        texts = (text[start:end].strip() for start, end in zip(starts, ends, strict=True))
        return Chunks(len(tokens) + self._marks, tuple(texts))

    def overflow(
        self, texts: Sequence[str], limit: int | None = None
    ) -> dict[str, tuple[int, str]]:
        """For each text over the limit, or the one given: its tokens, and the words that would fall off."""
        most = self.limit if limit is None else limit
        # a token is at least one byte, so short texts need no counting
        suspects = [t for t in dict.fromkeys(texts) if len(t.encode()) + self._marks > most]
        if not suspects:
            return {}
        found = {}
        encodings = self._load().encode_batch(suspects, add_special_tokens=False)
        for text, encoding in zip(suspects, encodings, strict=True):
            if len(encoding.ids) + self._marks > most:
                start = encoding.offsets[most - self._marks][0]
                while text[start].isspace():  # which some count to the word behind it
                    start += 1
                while start > 0 and not text[start - 1].isspace():
                    start -= 1  # a word that is cut in half falls off whole
                found[text] = (len(encoding.ids) + self._marks, text[start:].strip())
        return found


def _first_part(tokens: Sequence[str]) -> int:
    """How many of the tokens that fit go into a chunk, where more follow."""
    for ends in (lambda token: token in _PHRASE_ENDS, lambda token: token.endswith("</w>")):
        for at in range(len(tokens) - 1, -1, -1):
            if ends(tokens[at]):
                return at + 1
    return len(tokens)
