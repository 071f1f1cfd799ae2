"""Make the studio's tokenizer: CLIP's, with a small byte-pair vocabulary of its own.

    python studio/make_tokenizer.py --out WORK/tokenizer

The merges are learned from generated captions.  All bytes are in the vocabulary, alone and at a
word's end, so any text can be encoded.  Written so that ``CLIPTokenizer.from_pretrained`` and the
``tokenizers`` library alone (``tokenizer.json``) give the same ids.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

from captions import caption, vocabulary
from scenes import draw_scene
from tokenizers import Tokenizer, pre_tokenizers, trainers
from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"
SIZE = 1536  # tokens, the two special ones included
LENGTH = 77  # tokens of a prompt, start and end included


def learn_merges(texts: list[str], count: int) -> list[tuple[str, str]]:
    """The first ``count`` byte-pair merges of lower-cased ``texts``, as CLIP splits them."""
    plain = CLIPTokenizer().backend_tokenizer
    learner = Tokenizer(type(plain.model)(unk_token=END, end_of_word_suffix="</w>"))
    learner.normalizer, learner.pre_tokenizer = plain.normalizer, plain.pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=512 + count,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        end_of_word_suffix="</w>",
        min_frequency=3,
        show_progress=False,
    )
    learner.train_from_iterator(texts, trainer)
    merges = json.loads(learner.to_str())["model"]["merges"]
    return [(left, right) for left, right in merges][:count]


def make_tokenizer(samples: int = 60000, seed: int = 0) -> CLIPTokenizer:
    """Learn the vocabulary from ``samples`` captions."""
    rng = random.Random(seed)
    texts = [caption(draw_scene(rng), rng) for _ in range(samples)]
    texts += vocabulary() * 40  # rare plurals become whole tokens too
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = learn_merges(texts, SIZE - 2 - 2 * len(alphabet))
    tokens = [*alphabet, *(f"{letter}</w>" for letter in alphabet)]
    seen = set(tokens)
    for left, right in merges:
        if left + right not in seen:
            seen.add(left + right)
            tokens.append(left + right)
    tokens += [START, END]  # last, as in CLIP
    return CLIPTokenizer(
        vocab={token: number for number, token in enumerate(tokens)},
        merges=merges,
        model_max_length=LENGTH,
    )


def save_tokenizer(tokenizer: CLIPTokenizer, folder: Path) -> None:
    """``tokenizer.json`` and its config, and the two files that older readers want."""
    tokenizer.save_pretrained(folder)
    model = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    vocabulary_text = json.dumps(model["vocab"], ensure_ascii=False)
    (folder / "vocab.json").write_text(vocabulary_text, encoding="utf-8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in model["merges"]), ""]
    (folder / "merges.txt").write_text("\n".join(lines), encoding="utf-8")


def check_tokenizer(folder: Path, texts: list[str]) -> None:
    """Both readers must give the same ids."""
    clip = CLIPTokenizer.from_pretrained(folder)
    plain = Tokenizer.from_file(str(folder / "tokenizer.json"))
    for text in texts:
        ours, theirs = clip(text).input_ids, plain.encode(text).ids
        if ours != theirs or ours[0] != clip.bos_token_id or ours[-1] != clip.eos_token_id:
            raise AssertionError(f"{text!r}: {ours} by transformers, {theirs} by tokenizers")


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    args = parser.parse_args()
    tokenizer = make_tokenizer()
    save_tokenizer(tokenizer, args.out)
    rng = random.Random(99)
    texts = [caption(draw_scene(rng), rng) for _ in range(500)]
    odd = ["", "Čeština, 42 žluťoučkých koní!", "a fox's hat; the owl -- flies?", "日本語 🦊"]
    check_tokenizer(args.out, texts + odd)
    lengths = [len(tokenizer(text).input_ids) for text in texts]
    whole = [word for word in vocabulary() if len(tokenizer(word).input_ids) == 3]
    print(
        f"{len(tokenizer)} tokens; a caption has {sum(lengths) / len(lengths):.1f} on average, at most "
        f"{max(lengths)}; {len(whole)} of {len(vocabulary())} words of the world are one token"
    )


if __name__ == "__main__":
    main()
