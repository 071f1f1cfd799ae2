"""Chains: how the frames of a scene hang together."""

from __future__ import annotations

from collections.abc import Mapping

from lorakit.kinds.chains.anchor import AnchorChain
from lorakit.kinds.chains.chain import ChainRule
from lorakit.kinds.chains.noise import NoiseChain
from lorakit.kinds.chains.previous import PreviousChain

CHAINS: Mapping[str, ChainRule] = {
    "previous": PreviousChain(),
    "anchor": AnchorChain(),
    "noise": NoiseChain(),
}
