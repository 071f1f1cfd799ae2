"""Where in a reference its character is: by what the places of its picture look at among its words.

ConsiStory (Tewel et al. 2024, section 4.1, https://arxiv.org/abs/2402.03286): how much each place looks at a
character's words, over all layers of cross-attention and all steps so far, is cut in two by Otsu's threshold,
and frames' self-attention sees the upper part alone. At a frame's first step nobody has looked yet, and all
of the reference is seen.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

_BINS = 256


def otsu(maps: Tensor) -> Tensor:
    """Which values of each map (B, H, W) lie above the threshold that parts it best, as (B, H, W) of bool.

    Of 256 levels between a map's least and most the one with the largest variance between what is above and
    below (Otsu 1979). Of a map that is the same everywhere all lies above.
    """
    flat = maps.flatten(1).float()
    least, most = flat.amin(1, keepdim=True), flat.amax(1, keepdim=True)
    levels = ((flat - least) / (most - least).clamp(min=1e-12) * (_BINS - 1)).round()
    bins = torch.arange(_BINS, device=maps.device)
    # whole numbers, whose sums are the same in any order
    counts = (levels[:, :, None] == bins).sum(1)
    below, sums = counts.cumsum(1).float(), (counts * bins).cumsum(1).float()
    above, total = below[:, -1:] - below, sums[:, -1:]
    apart = sums / below.clamp(min=1) - (total - sums) / above.clamp(min=1)
    threshold = (below * above * apart**2).argmax(1, keepdim=True)
    return ((levels > threshold) | (most - least <= 0)).reshape(maps.shape)


class SubjectMasks:
    """What a call's frames see of their references, and how these look at their words meanwhile.

    `words` (R, T) say which tokens of each reference's words are the character's, and `seen` (R, H, W) of
    bool, at the size of latents, what may be seen of it. References are rows as the call has them.
    """

    def __init__(self, words: Tensor, seen: Tensor) -> None:
        self._words, self._seen = words, seen
        self._maps: list[Tensor] = []

    def bias(self, count: int, times: int, places: int, like: Tensor) -> Tensor:
        """What is added to attention of `count` frames, `times` over: (frames, 1, 1, places * (1 + R))."""
        hidden = torch.finfo(like.dtype).min
        own = like.new_zeros(times * count, places)
        sides = self._sides(places)
        seen = interpolate(self._seen[:, None].float(), sides, mode="area").flatten(1) >= 0.5
        others = torch.where(seen, 0.0, hidden).to(like.dtype)
        rows = [part.repeat(times, 1) for part in others.split(count)]
        return torch.cat([own, *rows], dim=1)[:, None, None]

    def look(self, attn: Any, hidden: Tensor, told: Tensor, keys: Tensor) -> None:
        """Note how places of references, `hidden` (R, N, C), look at the words `told`, by their `keys`."""
        queries, keys = (
            one.unflatten(-1, (attn.heads, -1)).transpose(1, 2).float()
            for one in (attn.to_q(hidden), keys)
        )
        shares = (queries @ keys.transpose(2, 3) * attn.scale).softmax(-1)
        words = self._words[:, None, None, : told.shape[1]]
        looked = (shares * words).sum(-1).mean(1)  # (R, N)
        self._maps.append(looked.unflatten(1, self._sides(looked.shape[1]))[:, None])

    def maps(self) -> Tensor:
        """How much each place looked at the character's words, (R, H, W), on average of all layers."""
        size = tuple(self._seen.shape[1:])
        every = [interpolate(one, size, mode="bilinear") for one in self._maps]
        return torch.cat(every, dim=1).mean(1)

    def _sides(self, places: int) -> tuple[int, int]:
        """Height and width of a layer with so many places."""
        height, width = self._seen.shape[1:]
        factor = 1
        while -(-height // factor) * -(-width // factor) > places:
            factor *= 2
        return -(-height // factor), -(-width // factor)
