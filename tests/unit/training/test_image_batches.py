"""What a step shows of pictures and their captions, and how its loss is made. Complaints are the field's."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from PIL import Image
from torch import nn

from lorakit.plan.buckets import PictureOrder
from lorakit.plan.tasks.training import EncodedSample
from lorakit.training import canonical
from lorakit.training.image_batches import ImageBatches, time_ids
from lorakit.training.image_data import encode, mask_of, pixels
from lorakit.training.image_task import ImageTask
from lorakit.training.rank_shard import WHOLE, RankShard

MIDDLE = ((0, 0.5, 0.5),)


def item(number: int, **more: Any) -> EncodedSample:
    made = EncodedSample(
        name=f"{number}.png",
        caption=f"a fox, {number}, red, soft, old",
        size=(96, 48),
        bucket=(64, 64),
        views=MIDDLE,
        prior=False,
        latents=f"latents-{number}",
        embeds=f"embeds-{number}",
    )
    return replace(made, **more)


def batches(folder: Path, items: list[EncodedSample], slots: list[int], **more: Any):
    """Latents whose every number says of which picture and view they are."""
    inputs, tensors = {}, more.pop("tensors", {})
    for number, one in enumerate(items):
        views = len(one.views)
        mean = torch.stack([torch.full((2, 4, 4), number + view / 10) for view in range(views)])
        canonical.write(folder / f"latents-{number}", {"mean": mean, **tensors.get(number, {})})
        canonical.write(
            folder / f"embeds-{number}", {"embeds": torch.full((1, 3, 2), float(number))}
        )
        inputs |= {k: str(folder / k) for k in (f"latents-{number}", f"embeds-{number}")}
    canonical.write(folder / "empty", {"embeds": torch.full((1, 3, 2), -1.0)})
    size = more.pop("size", 2)
    order = PictureOrder([items[s].bucket for s in slots], size, 7)
    more.setdefault("large", False)
    return ImageBatches(items, slots, order, {**inputs, "empty": str(folder / "empty")}, **more)


def test_repeats_show_each_picture_so_often_and_lose_none(tmp_path: Path) -> None:
    sizes = [(64, 64), (64, 64), (96, 32)]
    items = [item(n, bucket=size) for n, size in enumerate(sizes)]
    made = batches(tmp_path, items, [0, 0, 0, 1, 1, 1, 2, 2, 2])
    assert made.order.per_epoch == 5  # 3 batches of the first size, 2 of the other
    for epoch in range(2):
        names = [i.name for k in range(5) for i in made.members(epoch * 5 + k)]
        assert Counter(names) == {"0.png": 3, "1.png": 3, "2.png": 3}


def test_a_batch_is_a_function_of_its_number(tmp_path: Path) -> None:
    views = [[f, x, 0.5] for f in (0, 1) for x in (0.0, 1.0)]
    made = batches(tmp_path, [item(n, views=views) for n in range(4)], [0, 1, 2, 3], dropout=0.5)
    made.empty = "empty"
    first = [made.batch(k) for k in range(6)]
    again = [made.batch(k) for k in reversed(range(6))][::-1]
    for one, other in zip(first, again, strict=True):
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_flips_and_crops_are_all_shown_and_captions_fall_as_often_as_asked(tmp_path: Path) -> None:
    views = [[f, x, 0.5] for f in (0, 1) for x in (0.0, 1.0)]
    made = batches(tmp_path, [item(0, views=views)], [0], size=1, dropout=0.25, empty="empty")
    shown = [made.batch(k) for k in range(400)]
    seen = Counter(round(float(b["mean"].mean()), 1) for b in shown)
    assert set(seen) == {0.0, 0.1, 0.2, 0.3}
    assert min(seen.values()) > 60
    bare = sum(float(b["embeds"].mean()) == -1 for b in shown)
    assert 70 < bare < 130


def test_tags_are_shuffled_and_the_first_are_kept(tmp_path: Path) -> None:
    told: list[str] = []

    def words(caption: str) -> dict[str, torch.Tensor]:
        told.append(caption)
        return {"embeds": torch.zeros(1, 3, 2)}

    one = item(0, embeds=None)  # a plan makes none where captions change
    made = batches(tmp_path, [one], [0], size=1, shuffle=True, keep=2, words=words)
    for number in range(40):
        made.batch(number)
    parts = [caption.split(", ") for caption in told]
    assert all(one[:2] == ["a fox", "0"] for one in parts)
    assert all(sorted(one[2:]) == ["old", "red", "soft"] for one in parts)
    assert len({tuple(one) for one in parts}) == 6


def test_sdxl_is_told_where_a_picture_was_cut_out() -> None:
    one = item(0, views=[[0, 1.0, 0.5], [0, 0.0, 0.5]], size=[200, 100], bucket=[64, 64])
    # scaled to 128x64, cut at the right
    assert time_ids(one, 0) == [100, 200, 0, 64, 64, 64]
    assert time_ids(one, 1) == [100, 200, 0, 0, 64, 64]


class Says(nn.Module):
    """Predicts what it is given, and keeps what it was asked."""

    def __init__(self, answer: float) -> None:
        super().__init__()
        self.answer = nn.Parameter(torch.tensor(answer))

    def forward(self, noisy: torch.Tensor, times: torch.Tensor, **told: Any) -> torch.Tensor:
        self.noisy, self.times, self.told = noisy, times, told
        return self.answer.expand_as(noisy)


def task(made: ImageBatches, prediction: str = "epsilon", **more: Any) -> ImageTask:
    from diffusers import DDPMScheduler

    scheduler = DDPMScheduler(1000, prediction_type=prediction)
    return ImageTask(Says(0.0), scheduler, made, **more)


def losses(one: ImageTask, batch: dict[str, Any]) -> tuple[float, torch.Tensor, torch.Tensor]:
    """The loss, and the noise and the times that it drew."""
    found = one.loss(one.model, batch, torch.Generator().manual_seed(3), WHOLE)
    rng = torch.Generator().manual_seed(3)
    if "logvar" in batch:
        torch.randn(batch["mean"].shape, generator=rng)
    noise = torch.randn(batch["mean"].shape, generator=rng)
    return float(found.detach()), noise, one.model.times


@pytest.fixture
def two(tmp_path: Path) -> ImageBatches:
    return batches(tmp_path, [item(0), item(1)], [0, 1])


def test_epsilon_and_v_are_what_the_papers_say(two: ImageBatches) -> None:
    batch = two.batch(0)
    loss, noise, times = losses(task(two), batch)
    assert loss == pytest.approx(float(noise.square().mean()), rel=1e-5)
    one = task(two, "v_prediction")
    loss, noise, times = losses(one, batch)
    signal = one.scheduler.alphas_cumprod[times].reshape(-1, 1, 1, 1)
    v = signal.sqrt() * noise - (1 - signal).sqrt() * batch["mean"]
    assert loss == pytest.approx(float(v.square().mean()), rel=1e-4)


@pytest.mark.parametrize("prediction", ["epsilon", "v_prediction"])
def test_min_snr_caps_the_weight_of_easy_timesteps(two: ImageBatches, prediction: str) -> None:
    batch = two.batch(0)
    plain, weighed = task(two, prediction), task(two, prediction, snr_gamma=5.0)
    plain.loss(plain.model, batch, torch.Generator().manual_seed(3), WHOLE)
    times = plain.model.times
    ratio = plain.scheduler.alphas_cumprod[times] / (1 - plain.scheduler.alphas_cumprod[times])
    divisor = ratio if prediction == "epsilon" else ratio + 1
    weights = torch.minimum(ratio, torch.tensor(5.0)) / divisor

    def of(row: int, what: ImageTask) -> float:
        found = what.loss(what.model, batch, torch.Generator().manual_seed(3), RankShard(row, 2))
        return float(found.detach())

    for row in (0, 1):
        assert of(row, weighed) == pytest.approx(of(row, plain) * float(weights[row]), rel=1e-3)


def test_noise_offset_shifts_whole_channels(two: ImageBatches) -> None:
    batch = two.batch(0)
    batch["mean"] = torch.zeros_like(batch["mean"])
    one = task(two, noise_offset=0.5)
    one.loss(one.model, batch, torch.Generator().manual_seed(3), WHOLE)
    rng = torch.Generator().manual_seed(3)
    noise = torch.randn(batch["mean"].shape, generator=rng)
    noise = noise + 0.5 * torch.randn(2, 2, 1, 1, generator=rng)
    signal = one.scheduler.alphas_cumprod[one.model.times].reshape(-1, 1, 1, 1)
    assert torch.allclose(one.model.noisy, (1 - signal).sqrt() * noise, atol=1e-5)


def test_latents_are_sampled_where_the_vae_has_a_spread(tmp_path: Path) -> None:
    spread = {"logvar": torch.full((1, 2, 4, 4), -2.0)}
    made = batches(tmp_path, [item(0)], [0], size=1, tensors={0: spread})
    one, batch = task(made), made.batch(0)
    starts = []
    for seed in range(300):
        one.loss(one.model, batch, torch.Generator().manual_seed(seed), WHOLE)
        rng = torch.Generator().manual_seed(seed)
        torch.randn(batch["mean"].shape, generator=rng)
        noise = torch.randn(batch["mean"].shape, generator=rng)
        signal = one.scheduler.alphas_cumprod[one.model.times].reshape(-1, 1, 1, 1)
        starts.append((one.model.noisy - (1 - signal).sqrt() * noise) / signal.sqrt())
    spread_found = torch.cat([s for s in starts if s.abs().max() < 20]).std()
    assert float(spread_found) == pytest.approx(0.3679, rel=0.05)  # exp(-2 / 2)


def test_a_masked_loss_is_of_what_the_mask_leaves(tmp_path: Path) -> None:
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., :2] = 1
    made = batches(tmp_path, [item(0)], [0], size=1, tensors={0: {"mask": mask}})
    loss, noise, _ = losses(task(made), made.batch(0))
    assert loss == pytest.approx(float(noise[..., :2].square().mean()), rel=1e-5)


def test_a_picture_without_a_mask_leaves_the_others_theirs(tmp_path: Path) -> None:
    mask = torch.zeros(1, 1, 4, 4)
    mask[..., :2] = 1
    made = batches(tmp_path, [item(0), item(1, prior=True)], [0, 1], tensors={0: {"mask": mask}})
    loss, noise, _ = losses(task(made), made.batch(0))
    (row,) = [n for n, one in enumerate(made.members(0)) if one.name == "0.png"]
    squares = noise.square()
    expected = (squares[row, ..., :2].mean() + squares[1 - row].mean()) / 2
    assert loss == pytest.approx(float(expected), rel=1e-5)


def test_prior_pictures_weigh_as_much_as_is_said(tmp_path: Path) -> None:
    items = [item(0), item(1, prior=True)]
    made = batches(tmp_path, items, [0, 1], prior_weight=0.25)
    batch = made.batch(0)
    assert sorted(batch["weight"].tolist()) == [0.25, 1.0]
    loss, noise, _ = losses(task(made), batch)
    each = noise.square().flatten(1).mean(1)
    assert loss == pytest.approx(float((each * batch["weight"]).mean()), rel=1e-5)


def test_the_held_out_loss_is_the_same_whenever_it_is_asked(two: ImageBatches) -> None:
    one = task(two)
    first = list(one.fixed_losses(one.model, two.samples, "cpu", 3))
    torch.manual_seed(99)
    one.loss(one.model, two.batch(0), torch.Generator().manual_seed(8), WHOLE)
    assert list(one.fixed_losses(one.model, two.samples, "cpu", 3)) == first
    assert list(one.fixed_losses(one.model, two.samples, "cpu", 4)) != first


# -- pictures ------------------------------------------------------------------------------------------


def halves(file: Path, mode: str = "RGB") -> Path:
    picture = Image.new("RGB", (80, 40), "white")
    picture.paste("black", (0, 0, 40, 40))
    picture.convert(mode).save(file)
    return file


def test_pictures_are_turned_as_exif_says(tmp_path: Path) -> None:
    picture = Image.open(halves(tmp_path / "a.png"))
    exif = Image.Exif()
    exif[274] = 6  # to be turned by 90 degrees clockwise
    picture.save(tmp_path / "b.png", exif=exif)
    upright = pixels(tmp_path / "b.png", (40, 80))
    assert float(upright[0, 0, 2, 20]) == -1  # black is on top now
    assert float(upright[0, 0, -2, 20]) == 1


def test_a_picture_is_mirrored_and_cut_out_where_it_is_said(tmp_path: Path) -> None:
    file = halves(tmp_path / "a.png")
    assert float(pixels(file, (40, 40), at=(0.0, 0.5)).mean()) == -1
    assert float(pixels(file, (40, 40), at=(1.0, 0.5)).mean()) == 1
    plain, turned = pixels(file, (80, 40)), pixels(file, (80, 40), flip=True)
    assert torch.equal(plain.flip(-1), turned)


def test_clear_parts_stand_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert float(pixels(tmp_path / "a.png", (8, 8)).min()) == 1


def test_masks_are_cut_as_their_pictures_are(tmp_path: Path) -> None:
    like = halves(tmp_path / "a.png")
    mask = halves(tmp_path / "a-masklabel.png", "L")

    def made(**more: Any) -> torch.Tensor:
        return mask_of(
            mask, like, (40, 40), **{"flip": False, "at": (0.5, 0.5), "factor": 8, **more}
        )

    assert made().shape == (1, 1, 5, 5)
    assert float(made(at=(0.0, 0.5)).max()) == 0
    assert float(made(at=(1.0, 0.5)).min()) == 1
    assert torch.equal(made().flip(-1), made(flip=True))


def test_each_view_is_encoded_by_itself_and_scaled(tmp_path: Path) -> None:
    class Vae:
        config = SimpleNamespace(scaling_factor=0.5, shift_factor=1.0)
        device, dtype = "cpu", torch.float32

        def encode(self, picture: torch.Tensor) -> Any:
            assert len(picture) == 1
            return SimpleNamespace(
                latent_dist=SimpleNamespace(mean=picture + 2, logvar=torch.zeros_like(picture))
            )

    made = encode(Vae(), [torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)])
    assert made["mean"].mean((1, 2, 3)).tolist() == [0.5, 1.0]  # (x + 2 - shift) * scale
    assert torch.allclose((0.5 * made["logvar"]).exp(), torch.tensor(0.5))


def test_the_part_with_the_trigger_word_stays_where_it_is(tmp_path: Path) -> None:
    seen = []

    def words(caption: str) -> dict[str, torch.Tensor]:
        seen.append(caption.split(", "))
        return {"embeds": torch.zeros(1, 3, 2)}

    told = item(0, caption="a fox, b, an ox by night, c, d")
    made = batches(tmp_path, [told], [0], size=1, shuffle=True, trigger="ox", words=words)
    for number in range(40):
        made.batch(number)
    assert {parts[2] for parts in seen} == {"an ox by night"}
    assert {parts[0] for parts in seen} == {"a fox", "b", "c", "d"}  # the ox in fox is none
