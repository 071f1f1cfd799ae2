"""Tokenizers of T5's and Qwen's classes that know a few words whole, and the rest by letters or bytes."""

from __future__ import annotations

from tokenizers import AddedToken, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import BPE, Unigram
from transformers import Qwen2TokenizerFast, T5TokenizerFast

from tests.support.tiny import WORDS

# a turn of a conversation as Qwen 3 has it
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n"
    "{% endif %}{% endif %}"
)
MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
PICTURE = ("<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>")


def t5_words(longest: int = 512) -> T5TokenizerFast:
    """T5's tokenizer with a few words whole and the rest by letters."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'-"
    marks = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces = [*marks, *((letter, -5.0) for letter in letters)]
    pieces += [(f"▁{word}", -3.0) for word in WORDS if word != "a"] + [("▁a", -3.0)]
    made = Tokenizer(Unigram(pieces, unk_id=2))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    made.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return T5TokenizerFast(
        tokenizer_object=made,
        model_max_length=longest,
        extra_ids=0,
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
    )


def qwen_words(longest: int = 2048) -> Qwen2TokenizerFast:
    """Qwen's tokenizer: bytes, and a few words that are joined of them."""
    tokens = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges: list[tuple[str, str]] = []
    for word in WORDS:
        parts = ["Ġ", *word]
        while len(parts) > 1:
            pair = (parts[0], parts[1])
            parts[:2] = ["".join(pair)]
            if pair not in merges:
                merges.append(pair)
                tokens.append(parts[0])
    tokens = list(dict.fromkeys(tokens))
    made = Tokenizer(BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges))
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens([AddedToken(mark, special=True) for mark in (*MARKS, *PICTURE)])
    words = Qwen2TokenizerFast(
        tokenizer_object=made,
        model_max_length=longest,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        unk_token=None,
        padding_side="right",
    )
    words.chat_template = TEMPLATE
    return words
