"""Which pictures are trained on, how often, at which size, and which are held out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from lorakit.facts.pictures.picture import Picture, PictureFacts
from lorakit.kinds.image_set import ImageSet, image_set, views
from lorakit.language import load
from lorakit.plan.kind import Context
from tests.support.planning import facts_for

SIZES = [(64, 64), (96, 48), (640, 480), (64, 65), (100, 30)]


def pictures(count: int, prefix: str = "") -> PictureFacts:
    made = tuple(
        Picture(Path(f"{prefix}{n}.png"), "a fox", SIZES[n % 5], f"{prefix}{n}.png", f"{prefix}{n}")
        for n in range(count)
    )
    return PictureFacts("digest", made)


def seen(folder: Path, count: int, data: str = "", step: str = "", prior: int = 4) -> ImageSet:
    path = folder / "recipe.yaml"
    path.write_text(
        "recipe: 1\nseed: 3\nmodels: {tiny: {from: 'lorakit:studio'}}\ndatasets:\n"
        f"  foxes: {{images: 'lorakit:hologram'{data}}}\n  robots: {{images: 'lorakit:hologram'}}\n"
        f"steps:\n  style: {{kind: train-image, data: foxes{step}}}\n"
    )
    facts = replace(
        facts_for(("tiny",)), pictures={"foxes": pictures(count), "robots": pictures(prior, "r")}
    )
    project = load(path)
    return image_set(project.recipe.steps["style"], Context(project, facts))


def names(found: ImageSet) -> list[str]:
    return [sample.picture.name for sample in found.samples]


def test_complaint_04_every_picture_is_shown_once_an_epoch_at_about_its_own_aspect(
    tmp_path: Path,
) -> None:
    found = seen(tmp_path, 23)
    assert not found.held_out
    assert Counter(found.schedule) == dict.fromkeys(range(23), 1)
    shown = [slot for batch in found.order.epoch(0) for slot in batch]
    assert sorted(shown) == list(range(23))
    for sample in found.samples:
        (width, height), (w, h) = sample.bucket, sample.picture.size
        assert abs(width / height - w / h) / (w / h) < 0.25
        assert 0.7 < width * height / 128**2 < 1.4
    square = seen(tmp_path, 23, step=", center_crop: true, resolution: 64")
    assert {sample.bucket for sample in square.samples} == {(64, 64)}


def test_held_out_pictures_are_never_trained_on_and_stay_when_others_come(tmp_path: Path) -> None:
    found = seen(tmp_path, 20, ", test_size: 0.25, repeats: 3")
    out = {sample.picture.name for sample in found.held_out}
    assert len(out) == 5
    assert not out & set(names(found))
    assert Counter(found.schedule) == dict.fromkeys(range(15), 3)
    more = {i.picture.name for i in seen(tmp_path, 21, ", test_size: 5").held_out}
    assert len(more - out) <= 1
    assert len(seen(tmp_path, 3, ", test_size: 0.01").held_out) == 1


def test_a_limit_is_drawn_by_the_seed(tmp_path: Path) -> None:
    one, again = seen(tmp_path, 20, ", limit: 6"), seen(tmp_path, 20, ", limit: 6")
    other = seen(tmp_path, 20, ", limit: 6", ", seed: 4")
    assert names(one) == names(again)
    assert len(names(one)) == len(names(other)) == 6
    assert set(names(one)) != set(names(other))


def test_prior_pictures_are_shown_as_often_as_the_others_and_none_is_lost(tmp_path: Path) -> None:
    step = ", prior_data: robots"
    found = seen(tmp_path, 5, ", repeats: 2", step)
    turns = Counter(found.samples[slot].prior for slot in found.schedule)
    assert turns == {False: 10, True: 10}
    many = seen(tmp_path, 2, "", step, prior=7)
    assert sum(many.samples[slot].prior for slot in many.schedule) == 7


def test_cuts_are_a_picture_s_own_and_mirrored_each(tmp_path: Path) -> None:
    found = seen(tmp_path, 2, step=", random_crops: 3, random_flip: true")
    project = load(tmp_path / "recipe.yaml")
    step = project.recipe.steps["style"]
    one, other = (views(step, 3, sample.picture) for sample in found.samples)
    assert [flip for flip, *_ in one] == [0, 0, 0, 1, 1, 1]
    assert [cut[1:] for cut in one[:3]] == [cut[1:] for cut in one[3:]]
    assert len({cut[1:] for cut in one}) == 3
    assert one != other
    assert all(0 <= across <= 1 and 0 <= down <= 1 for _, across, down in one)


def test_what_a_plan_says_of_one_is_said_of_one(tmp_path: Path) -> None:
    def said(count: int, data: str = "", step: str = "", prior: int = 4) -> str:
        return "\n".join(seen(tmp_path, count, data, step, prior).lines())

    assert said(1).startswith("its one picture used: 1 at ")
    assert "the other picture used: 1 at " in said(2, ", test_size: 1")
    assert "and 1 more size\n" in said(5)
    kept = said(2, step=", prior_data: robots", prior=1)
    assert "1 picture of what it shall not forget, shown 2 times an epoch" in kept
