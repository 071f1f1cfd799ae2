"""Dropout that is drawn four values at a time: as many, as random, as exact as torch's."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import dropout, scaled_dot_product_attention

from lorakit.cpu.dropping import drawn, quick_dropout


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.05, 0.5, 0.9])
def test_as_many_are_kept_as_asked_for(p: float, dtype: torch.dtype) -> None:
    torch.manual_seed(1)
    values = drawn(torch.empty(1000, 1001, dtype=dtype), p).float()
    assert set(values.unique().tolist()) == {0.0, 1.0}
    spread = (p * (1 - p) / values.numel()) ** 0.5
    assert abs(float(values.mean()) - p) < 5 * spread
    # each of the four values of one random number by itself, and none tells of the next
    flat = values.flatten()[: values.numel() // 4 * 4].view(-1, 4)
    assert (flat.mean(0) - p).abs().max() < 5 * 2 * spread
    assert torch.corrcoef(flat.T).fill_diagonal_(0).abs().max() < 5 * 2 / values.numel() ** 0.5


def test_none_and_all_and_an_odd_number() -> None:
    assert drawn(torch.empty(7), 1.0).tolist() == [1.0] * 7
    assert drawn(torch.empty(7), 0.0).tolist() == [0.0] * 7
    assert drawn(torch.empty(0), 0.3).tolist() == []


def test_values_that_do_not_lie_one_after_the_other() -> None:
    torch.manual_seed(2)
    flat = drawn(torch.empty(6, 4), 0.5)
    torch.manual_seed(2)
    turned = drawn(torch.full((4, 6), 9.0).T, 0.5)
    assert torch.equal(flat, turned)


def test_it_follows_torch_s_seed_and_ends_with_its_block() -> None:
    def drop() -> torch.Tensor:
        torch.manual_seed(3)
        return dropout(torch.ones(5000), 0.1)

    own = drop()
    with quick_dropout():
        one, other = drop(), drop()
    assert torch.equal(one, other)
    assert not torch.equal(one, own)
    assert one.max() == own.max()  # those that are kept are scaled alike
    assert torch.equal(drop(), own)
    with pytest.raises(ZeroDivisionError), quick_dropout():
        raise ZeroDivisionError
    assert torch.equal(drop(), own)


def test_attention_drops_by_it_too() -> None:
    query = torch.randn(2, 3, 9, 4)

    def attend() -> torch.Tensor:
        torch.manual_seed(4)
        return scaled_dot_product_attention(query, query, query, dropout_p=0.5)

    own = attend()
    with quick_dropout():
        assert not torch.equal(attend(), own)
    assert torch.equal(attend(), own)
