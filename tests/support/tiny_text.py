"""A tiny untrained BERT with its tokenizer, in transformers' own layout."""

from __future__ import annotations

from pathlib import Path

_TEXT = "a good bad great awful film is was not very dull bright slow story the i loved hated it"
WORDS = sorted(_TEXT.split())


def save_bert(folder: Path) -> Path:
    """Two layers, 16 wide; the words above and nothing else."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(0)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    config = BertConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        vocab_size=len(vocabulary),
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    return folder
