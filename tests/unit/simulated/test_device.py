"""The simulated accelerator itself: it computes what the CPU does, and tells what a GPU would make one wait for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import scaled_dot_product_attention

from tests.support.forked import forked
from tests.support.simulated import NAME, OnDevice
from tests.support.simulated_device import accelerator


@forked
def test_a_network_moves_there_and_computes_what_it_computed_here() -> None:
    with accelerator():
        network = nn.Sequential(nn.Linear(8, 4), nn.GroupNorm(2, 4))
        rows = torch.randn(5, 8)
        with torch.no_grad():
            expected = network(rows)
        first = network[0].weight
        network.to(NAME)
        assert (
            network[0].weight is first
        )  # as on a GPU, an optimizer goes on with the same parameter
        found = network(rows.to(NAME))
        assert isinstance(found, OnDevice)
        assert found.device.type == NAME
        found.square().sum().backward()
        assert first.grad is not None
        assert first.grad.device.type == NAME
        assert torch.equal(found.detach().cpu(), expected)


@forked
def test_devices_do_not_mix_but_for_single_numbers() -> None:
    with accelerator():
        there = torch.ones(2, 3).to(NAME)
        assert (there * torch.tensor(2.0)).device.type == NAME
        with pytest.raises(RuntimeError, match="same device"):
            there + torch.ones(2, 3)
        with pytest.raises(RuntimeError, match="same device"):
            nn.Linear(3, 3)(there)


@forked
def test_waits_are_noted_with_who_asked() -> None:
    def whoever() -> None:
        there = torch.ones(2, 3, device=NAME)
        assert bool(torch.isfinite(there).all())
        there.cpu()
        there.tolist()
        there.sum().item()
        there[there > 0]
        torch.ones(2, 3).copy_(there)

    with accelerator() as device:
        whoever()
        assert len(device.waits) == 6
        assert all(wait.places[-1] != wait.places[0] for wait in device.waits)
        for wait in device.waits:
            assert "tests/unit/simulated/test_device.py:whoever" in wait.places
        device.waits.clear()
        torch.ones(2, 3).to(NAME).sum()  # nothing that the host must know
        assert device.waits == []


@forked
def test_attention_is_fused_where_it_is_not_asked_to_be_plain() -> None:
    with accelerator():
        here = torch.randn(1, 2, 16, 8, requires_grad=True)
        there = here.detach().to(NAME).requires_grad_()
        mask = torch.ones(16, 16, dtype=torch.bool).tril()

        def made(tensor: Tensor, mask: Tensor) -> Tensor:
            return scaled_dot_product_attention(tensor, tensor, tensor, attn_mask=mask)

        fused = made(there, mask.to(NAME))
        assert "Fused" in type(fused.grad_fn).__name__
        assert torch.equal(fused.detach().cpu(), made(here, mask).detach())
        fused.sum().backward()
        made(here, mask).sum().backward()
        assert there.grad is not None
        assert torch.equal(there.grad.cpu(), here.grad)
        with sdpa_kernel(SDPBackend.MATH):
            assert "Fused" not in type(made(there, mask.to(NAME)).grad_fn).__name__


@forked
def test_autocast_casts_as_a_gpu_s_does() -> None:
    with accelerator(), torch.autocast(NAME, dtype=torch.bfloat16):
        layer = nn.Linear(4, 4).to(NAME)
        out = layer(torch.ones(2, 4, device=NAME))
        assert out.dtype == torch.bfloat16
        assert nn.functional.layer_norm(out, (4,)).dtype == torch.float32
        assert torch.exp(out).dtype == torch.float32


@forked
def test_without_values_it_knows_shapes_and_types_of_anything() -> None:
    with accelerator(values=False):
        large = torch.empty(1 << 20, 1 << 20, device=NAME, dtype=torch.bfloat16)
        assert (large @ large).shape == (1 << 20, 1 << 20)
        assert large.sum().item() == 1.0


@forked
def test_a_large_copy_without_values_takes_no_memory() -> None:
    with accelerator(values=False):
        there = torch.empty(1024, 1024, device=NAME)
        for here in (there.cpu(), there.to("cpu", torch.bfloat16)):
            assert here.shape == there.shape
            assert here.untyped_storage().nbytes() == here.element_size()
            assert bool((here == 1).all())
        assert here.dtype == torch.bfloat16
        assert torch.empty(3, device=NAME).cpu().is_contiguous()
