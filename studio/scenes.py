"""Descriptions of pictures: who, wearing what, doing what with which thing, and where.

A ``Scene`` is what both a picture (painting.py) and its sentences (captions.py) are made from.  It
names art by its code in world.yaml, so it can be stored as one JSON line and spoken of anew.
"""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

WORLD_FILE = Path(__file__).with_name("world.yaml")

BUNNY, MEDITATING, SAGE, ALIEN, ROBOT = "1f430", "1f9d8", "1f9d9", "1f47d", "1f916"
BOY, GIRL = "1f466", "1f467"
MAGIC_HAT = "1f3a9"
LIGHT, CANDLE, CAMPFIRE, TREE, SCHOOL = "1f4a1", "1f56f", "1f525", "1f333", "1f3eb"
VEHICLES = ("1f680", "1f697", "26f5", "1f6b2", "1f6f8")
OVERHEAD = (TREE, TREE, TREE, "1f308", "2b50", "1f319", "1f388", "1f6f8", LIGHT)
LANDMARKS = ("1f3e0", SCHOOL, "1f3f0", "26fa", TREE, "1faa8", "26f5", "1f697", "1f308", "1f680")
LESSON_PROPS = ("1f4d6", "1f4da", "1f4bb", "1f4fa", "1f52d", LIGHT, TREE)

# How often each kind of scene is drawn.
RELATION_WEIGHTS = {
    "alone": 16,
    "finds": 14,
    "holds": 14,
    "looks at": 13,
    "rides": 9,
    "flies over": 9,
    "meets": 12,
    "shows": 4,
    "teaches": 4,
    "students": 2,
    "under": 4,
    "prop": 6,
}

# Several at once, which no relation tells: a picture of six sprites teaches as much of them as three of two.
CROWD = "many"


@dataclass(frozen=True)
class World:
    """The names of everything that can be drawn; the first name of each is the canonical one."""

    characters: dict[str, tuple[str, ...]]
    hats: dict[str, tuple[str, ...]]
    props: dict[str, tuple[str, ...]]
    settings: tuple[str, ...]

    def names(self, code: str) -> tuple[str, ...]:
        """Give all names of a character, hat or prop."""
        for group in (self.characters, self.hats, self.props):
            if code in group:
                return group[code]
        raise KeyError(code)


@cache
def load_world(path: Path = WORLD_FILE) -> World:
    """Read the world once."""
    document = yaml.safe_load(path.read_text(encoding="utf-8"))

    def group(name: str) -> dict[str, tuple[str, ...]]:
        return {str(code): tuple(names) for code, names in document[name].items()}

    return World(
        group("characters"), group("hats"), group("props"), tuple(map(str, document["settings"]))
    )


@dataclass(frozen=True)
class Actor:
    """A character, and the hat on its head if it wears one."""

    code: str
    hat: str | None = None


@dataclass(frozen=True)
class Scene:
    """One picture: ``relation`` is a key of ``RELATION_WEIGHTS``, or ``CROWD``.

    ``things`` are the props of a crowd; ``students`` counts small boys and girls beside the
    actors; ``layout`` seeds positions, sizes and everything else that no sentence speaks of.
    """

    relation: str
    layout: int
    setting: str | None = None
    actors: tuple[Actor, ...] = ()
    prop: str | None = None
    students: int = 0
    things: tuple[str, ...] = ()

    @property
    def codes(self) -> tuple[str, ...]:
        """All that is named: characters and their hats, the prop, a crowd's things."""
        actors = [code for actor in self.actors for code in (actor.code, actor.hat)]
        return tuple(code for code in (*actors, self.prop, *self.things) if code)

    def to_json(self) -> dict[str, Any]:
        """Give plain values, for one line of a file."""
        return dataclasses.asdict(self)

    @staticmethod
    def from_json(row: dict[str, Any]) -> Scene:
        """Take up what ``to_json`` gave."""
        actors = tuple(Actor(**actor) for actor in row["actors"])
        return Scene(**{**row, "actors": actors, "things": tuple(row.get("things", ()))})


def draw_actor(rng: random.Random, hat_chance: float) -> Actor:
    """A character at random; the film's bunny and its alien come somewhat more often."""
    world = load_world()
    luck = rng.random()
    if luck < 0.05:
        return Actor(BUNNY, MAGIC_HAT if rng.random() < 0.85 else None)
    if luck < 0.065:
        return Actor(rng.choice((ALIEN, ROBOT)))
    hat = rng.choice(tuple(world.hats)) if rng.random() < hat_chance else None
    return Actor(rng.choice(tuple(world.characters)), hat)


def draw_scene(rng: random.Random) -> Scene:
    """A scene at random: every character, hat, prop and setting about equally often."""
    world = load_world()
    relation = rng.choices(tuple(RELATION_WEIGHTS), tuple(RELATION_WEIGHTS.values()))[0]
    layout = rng.getrandbits(48)
    setting = rng.choice(world.settings) if rng.random() < 0.86 else None
    any_prop = rng.choice(tuple(world.props))
    actor = draw_actor(rng, 0.36)
    if relation == "alone":
        return Scene(relation, layout, setting, (actor,))
    if relation == "prop":
        if rng.random() < 0.15:
            any_prop, setting = LIGHT, "in a dark classroom"
        return Scene(relation, layout, setting, (), any_prop)
    if relation == "rides":
        return Scene(relation, layout, setting, (actor,), rng.choice(VEHICLES))
    if relation == "flies over":
        below = None
        if rng.random() < 0.45:
            below = rng.choice(LANDMARKS) if rng.random() < 0.7 else any_prop
        return Scene(relation, layout, setting, (actor,), below)
    if relation in ("meets", "shows"):
        other = actor if rng.random() < 0.06 else draw_actor(rng, 0.16)
        prop = any_prop if relation == "shows" else None
        return Scene(relation, layout, setting, (actor, other), prop)
    if relation == "teaches":
        if rng.random() < 0.4:
            actor = Actor(rng.choice((SAGE, SAGE, ROBOT)))
        schoolish = rng.random()
        if schoolish < 0.35:
            return Scene(relation, layout, "in a village", (actor,), SCHOOL, 2)
        if schoolish < 0.6:
            setting = rng.choice(("in a classroom", "in a dark classroom"))
        prop = rng.choice(LESSON_PROPS) if rng.random() < 0.35 else None
        return Scene(relation, layout, setting, (actor,), prop, 2)
    if relation == "students":
        if rng.random() < 0.4:
            setting = rng.choice(("in a classroom", "in a village", "in a dark classroom"))
        return Scene(relation, layout, setting, (), None, 3)
    if relation == "under":
        prop = rng.choice(OVERHEAD)
        if rng.random() < 0.35:
            return Scene(relation, layout, setting, (), prop, 3)
        return Scene(relation, layout, setting, (actor,), prop)
    return Scene(relation, layout, setting, (actor,), any_prop)


def draw_crowd(rng: random.Random) -> Scene:
    """Two or three characters and two or three things, where there is room for them."""
    world = load_world()
    layout = rng.getrandbits(48)
    setting = rng.choice(world.settings) if rng.random() < 0.86 else None
    actors = tuple(draw_actor(rng, 0.36) for _ in range(rng.choice((2, 3))))
    things = tuple(rng.sample(tuple(world.props), rng.choice((2, 3))))
    return Scene(CROWD, layout, setting, actors, things=things)
