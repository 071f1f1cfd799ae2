"""How long texts are in tokens, without counting them all."""

from __future__ import annotations

from pathlib import Path

import pytest

from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.models.tokens import TokenCounter
from lorakit.facts.texts.text_lengths import sample_of, text_lengths
from lorakit.facts.texts.text_models import minilm_folder


@pytest.fixture
def counter() -> TokenCounter:
    return TokenCounter(minilm_folder(), 512)


def test_the_longest_of_many_is_longer_than_of_few(counter: TokenCounter) -> None:
    texts = [" ".join(["film"] * (1 + number % 97)) for number in range(5000)]
    lengths = text_lengths(sample_of(texts), counter, "minilm")
    assert lengths.longest_of(5000) == 99  # words, a start and an end
    assert lengths.mean(512) == pytest.approx(51, rel=0.02)
    assert lengths.mean(11) < 11
    seen = [lengths.longest_of(count) for count in (1, 4, 16, 64, 1000, 5000)]
    assert seen == sorted(seen)
    assert 40 < lengths.longest_of(4) < 95


@pytest.mark.slow
def test_a_sample_stands_for_millions_of_characters(counter: TokenCounter) -> None:
    texts = ["word " * (100 + number % 300) for number in range(4000)]
    sample = sample_of(texts)
    assert sum(map(len, (*sample.longest, *sample.others))) < 600_000
    exact = sum(counter.counts(texts)) / len(texts)
    assert text_lengths(sample, counter, "minilm").mean(512) == pytest.approx(exact, rel=0.02)


def test_one_text_and_one_that_is_enormous(counter: TokenCounter) -> None:
    assert text_lengths(sample_of(["a film"]), counter, "minilm").longest_of(10) == 4
    lengths = text_lengths(sample_of(["word " * 100_000, "short"]), counter, "minilm")
    assert lengths.longest_of(2) == 100_002


def test_a_broken_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text('{"version": ')
    with pytest.raises(ModelError, match=r"tokenizer.json of mine cannot be read"):
        text_lengths(sample_of(["a film"]), TokenCounter(tmp_path, 512), "mine")
