"""Sentences about a scene, in the many shapes in which people write them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence

from scenes import (
    CAMPFIRE,
    CANDLE,
    CROWD,
    LIGHT,
    MEDITATING,
    SAGE,
    SCHOOL,
    TREE,
    Actor,
    Scene,
    load_world,
)

STYLES = (
    "soft 3d illustration",
    "storybook picture",
    "3d illustration",
    "soft illustration",
    "storybook illustration",
    "children's book illustration",
    "cartoon",
    "cute cartoon",
    "3d render",
    "digital art",
    "a picture",
    "an illustration",
    "a drawing",
)
SETTING_SYNONYMS = {
    "in a green meadow": ("in a meadow", "in the meadow", "in a green field", "on the grass"),
    "in a forest": ("in the forest", "in the woods", "in a green forest", "among the trees"),
    "in a garden": ("in the garden", "in a flower garden", "among the flowers"),
    "in the desert": ("in a desert", "in the hot desert", "on the sand dunes"),
    "on mars": ("on the planet mars", "on the red planet", "on red mars"),
    "on the moon": ("on a moon", "on the grey moon", "on the surface of the moon"),
    "in space": ("in outer space", "among the stars", "in deep space"),
    "on the beach": ("on a beach", "at the beach", "by the sea", "on a sandy beach"),
    "in the snow": ("on the snow", "in a snowy field", "in winter", "in deep snow"),
    "in the city": ("in a city", "in town", "in a big city", "on a city street"),
    "in a village": ("in the village", "in a small village", "at the village"),
    "at sunset": ("in the sunset", "at dusk", "in the evening", "under a sunset sky"),
    "at night": ("in the night", "by night", "at midnight", "under the night sky"),
    "underwater": ("under water", "under the sea", "in the sea", "in the ocean"),
    "in a dark classroom": ("in the dark classroom", "in a dark school room"),
    "in a classroom": ("in the classroom", "in class", "in a school", "at school"),
}
# What one flies over: the settings that are places, as nouns.
PLACES = {
    "in a green meadow": ("a green meadow", "the meadow"),
    "in a forest": ("a forest", "the forest", "the woods"),
    "in a garden": ("a garden", "the garden"),
    "in the desert": ("the desert",),
    "on mars": ("mars",),
    "on the moon": ("the moon",),
    "on the beach": ("the beach", "the sea"),
    "in the snow": ("the snow",),
    "in the city": ("the city",),
    "in a village": ("a village", "the village"),
}
# Verbs: (third person, -ing).
ALONE = (
    ("walks", "walking"),
    ("stands", "standing"),
    ("sits", "sitting"),
    ("smiles", "smiling"),
    ("waits", "waiting"),
    ("dances", "dancing"),
    ("runs", "running"),
    ("plays", "playing"),
    ("lands", "landing"),
    ("arrives", "arriving"),
    ("travels", "travelling"),
    ("rests", "resting"),
    ("sleeps", "sleeping"),
    ("lives", "living"),
)
FINDS = (
    ("finds", "finding"),
    ("finds", "finding"),
    ("finds", "finding"),
    ("discovers", "discovering"),
    ("stands beside", "standing beside"),
    ("stands next to", "standing next to"),
    ("sits beside", "sitting next to"),
    ("walks to", "walking to"),
    ("opens", "opening"),
    ("comes to", "coming to"),
)
HOLDS = (
    ("holds", "holding"),
    ("holds", "holding"),
    ("holds", "holding"),
    ("carries", "carrying"),
    ("takes", "taking"),
    ("picks up", "picking up"),
    ("lifts", "lifting"),
)
HOLDS_BY_PROP = {
    "1f4d6": (("reads", "reading"),),
    "1f4da": (("reads", "reading"),),
    "1f5fa": (("reads", "reading"),),
    "1f3b8": (("plays", "playing"),),
    "1f34e": (("eats", "eating"),),
    "1f955": (("eats", "eating"),),
    "1f382": (("eats", "eating"),),
    "26bd": (("plays with", "playing with"),),
}
LOOKS = (
    ("looks at", "looking at"),
    ("looks at", "looking at"),
    ("looks at", "looking at"),
    ("looks up at", "looking up at"),
    ("sees", "seeing"),
    ("watches", "watching"),
    ("gazes at", "gazing at"),
    ("stares at", "staring at"),
)
RIDES = (
    ("rides", "riding"),
    ("rides", "riding"),
    ("rides on", "riding on"),
    ("rides in", "riding in"),
    ("travels in", "travelling in"),
)
RIDES_BY_PROP = {
    "1f680": (("flies in", "flying in"), ("flies", "flying")),
    "1f6f8": (("flies in", "flying in"), ("flies", "flying")),
    "1f697": (("drives", "driving"),),
    "26f5": (("sails in", "sailing in"), ("sails", "sailing")),
    "1f6b2": (("rides", "riding"),),
}
FLIES = (
    ("flies over", "flying over"),
    ("flies over", "flying over"),
    ("flies above", "flying above"),
    ("floats over", "floating over"),
    ("jumps over", "jumping over"),
)
FLIES_ALONE = (
    ("flies", "flying"),
    ("flies high", "flying high"),
    ("floats", "floating"),
    ("jumps high", "jumping high"),
)
MEETS = (
    ("meets", "meeting"),
    ("meets", "meeting"),
    ("meets", "meeting"),
    ("greets", "greeting"),
    ("talks to", "talking to"),
    ("plays with", "playing with"),
    ("walks with", "walking with"),
    ("stands next to", "standing next to"),
    ("dances with", "dancing with"),
    ("helps", "helping"),
)
SHOWS = (("shows", "showing"), ("shows", "showing"), ("gives", "giving"), ("brings", "bringing"))
TEACHES = (("teaches", "teaching"), ("teaches", "teaching"), ("talks to", "talking to"))
LEARNS = ("learning", "studying", "sitting", "learning", "reading", "standing", "playing")
STUDENTS = ("students", "students", "students", "children", "the students", "young students")
LIGHTS = ("light", "knowledge as light", "a light", "a lamp", "a bright light", "lamp light")
GURUKULS = ("a gurukul", "a traditional gurukul", "gurukul", "the gurukul")
UNDER = ("under", "under", "sits under", "stands under", "sitting under", "below")
BOTH_MEET = (
    "meet",
    "play",
    "walk",
    "dance",
    "talk",
    "are friends",
    "stand together",
    "meeting",
)
BOTH_FIND = ("find", "discover", "look at", "see", "have", "stand beside")
# Words of no meaning to the picture: what people write beyond the world must do no harm.
FILLERS = (  # noqa: SIM905
    "brave little happy sad tiny old young magical mysterious hologram virtual ancient futuristic "
    "beautiful strange curious friendly sleepy clever wonderful shining traditional modern digital "
    "wise kind quiet funny famous secret forgotten lovely great proud lonely gentle silent "
    "enchanted glass wooden paper steel cosmic electric sweet golden-haired peaceful wild"
).split()
ADVERBS = (  # noqa: SIM905
    "suddenly slowly happily quietly finally again together today carefully proudly gladly "
    "quickly softly now then at last with joy for the first time once more"
).split()
TAILS = (
    "reimagined with vr and ar",
    "with friends",
    "in the future",
    "and smiles",
    "in the wind",
    "for a long time",
    "and laughs",
    "like a dream",
    "with great joy",
    "as the music plays",
    "full of wonder",
    "in augmented reality",
    "very detailed",
    "high quality",
)


def a_or_an(phrase: str) -> str:
    """Put the indefinite article before a phrase."""
    return ("an " if phrase[0].lower() in "aeiou" and not phrase.startswith("u") else "a ") + phrase


def plural(name: str) -> str:
    """The plural of a character's name: ``fox`` -> ``foxes``, ``old man`` -> ``old men``."""
    irregular = {"mouse": "mice", "child": "children", "fish": "fish", "octopus": "octopuses"}
    *front, last = name.split()
    if last in irregular:
        last = irregular[last]
    elif last.endswith("man"):
        last = last[:-3] + "men"
    elif last.endswith("person"):
        last = last[:-6] + "people"
    elif re.search(r"(s|x|ch|sh)$", last):
        last += "es"
    elif last.endswith("y") and last[-2] not in "aeiou":
        last = last[:-1] + "ies"
    else:
        last += "s"
    return " ".join((*front, last))


class Speaker:
    """Words for one scene, drawn from one source of chance."""

    def __init__(self, rng: random.Random, odd: bool) -> None:
        self.rng = rng
        self.odd = odd  # whether words from outside the world may slip in
        # Some people write articles, some do not.
        habits = ("indefinite", "definite", "mixed", "none")
        self.style_of_articles = rng.choices(habits, (5, 2, 2, 1))[0]

    def maybe(self, chance: float) -> bool:
        """Say yes with this chance."""
        return self.rng.random() < chance

    def name(self, code: str) -> str:
        """Choose the canonical name, or a synonym."""
        names = load_world().names(code)
        return names[0] if len(names) == 1 or self.maybe(0.6) else self.rng.choice(names[1:])

    def article(self, phrase: str) -> str:
        """Put an article before a phrase, or none; perhaps an odd adjective."""
        if self.odd and self.maybe(0.3):
            phrase = f"{self.rng.choice(FILLERS)} {phrase}"
        kind = self.style_of_articles
        if kind == "mixed":
            kind = self.rng.choice(("indefinite", "definite", "none"))
        if kind == "none":
            return phrase
        return f"the {phrase}" if kind == "definite" else a_or_an(phrase)

    def thing(self, code: str) -> str:
        """A prop or a hat."""
        name = self.name(code)
        if name in ("books", "glasses"):
            return name
        return self.article(name)

    def hat(self, code: str) -> str:
        """Say that a hat is worn: `` with a crown``."""
        joint = self.rng.choices(("with", "wearing", "in", "who wears"), (10, 4, 1, 1))[0]
        name = self.name(code)
        hat = name if self.style_of_articles == "none" else a_or_an(name)
        return f" {joint} {hat}"

    def actor(self, actor: Actor) -> str:
        """Name a character, and what it wears."""
        return self.article(self.name(actor.code)) + (self.hat(actor.hat) if actor.hat else "")

    def verb(self, verbs: Sequence[tuple[str, str]]) -> str:
        """``finds``, ``is finding`` or ``finding``."""
        plain, going = self.rng.choice(verbs)
        chosen = self.rng.choices((plain, f"is {going}", going), (6, 2, 2))[0]
        return f"{self.rng.choice(ADVERBS)} {chosen}" if self.odd and self.maybe(0.2) else chosen

    def setting(self, setting: str) -> str:
        """Name a setting, or use other words for it."""
        phrase = setting
        if self.maybe(0.35):
            phrase = self.rng.choice(SETTING_SYNONYMS[setting])
        if self.odd and self.maybe(0.3):
            phrase = re.sub(r"^((?:in|on) (?:a|the) )", rf"\1{self.rng.choice(FILLERS)} ", phrase)
        return phrase


Clause = tuple[str, str | None]  # what happens, and the setting that is still to be told


def say_prop(scene: Scene, say: Speaker, things: list[str]) -> Clause:
    """``a golden key``; light in the dark classroom has words of its own."""
    prop = things[-1]
    if scene.prop == LIGHT and scene.setting == "in a dark classroom" and say.maybe(0.5):
        prop = say.rng.choice(LIGHTS)
    if scene.prop in (LIGHT, CANDLE, CAMPFIRE) and say.maybe(0.3):
        prop += say.rng.choice((" shines", " glows", " is shining", " glowing"))
    return prop, scene.setting


def say_alone(scene: Scene, say: Speaker, things: list[str]) -> Clause:
    """``a fox with a crown smiles``; those who meditate are called children, too."""
    actor = scene.actors[0]
    if actor.code == MEDITATING and say.maybe(0.6):
        who = say.article(say.rng.choice(("child", "boy", "person", "child", "young child")))
        how = say.rng.choice(("meditating", "meditates", "is meditating"))
        return f"{who}{say.hat(actor.hat) if actor.hat else ''} {how}", scene.setting
    doing = f" {say.verb(ALONE)}" if say.maybe(0.45) else ""
    return things[0] + doing, scene.setting


def say_flies_over(scene: Scene, say: Speaker, things: list[str]) -> Clause:
    """Over a thing, over the place itself, or just high."""
    setting = scene.setting
    if scene.prop:
        return f"{things[0]} {say.verb(FLIES)} {things[-1]}", setting
    if setting in PLACES and say.maybe(0.6):
        return f"{things[0]} {say.verb(FLIES)} {say.rng.choice(PLACES[setting])}", None
    return f"{things[0]} {say.verb(FLIES_ALONE)}", setting


def say_meets(scene: Scene, say: Speaker, things: list[str]) -> Clause:
    """``a fox meets an owl``, ``the fox and the owl meet``; two alike are ``two foxes``."""
    actor, other = scene.actors
    if actor == other:
        pair = plural(say.name(actor.code))
        hats = f" with {plural(say.name(actor.hat))}" if actor.hat else ""
        return f"{say.rng.choice(('two ', 'two ', '', 'the two '))}{pair}{hats}", scene.setting
    form = say.rng.random()
    if form < 0.6:
        return f"{things[0]} {say.verb(MEETS)} {things[1]}", scene.setting
    both = f"{things[0]} and {things[1]}"
    return (f"{both} {say.rng.choice(BOTH_MEET)}" if form < 0.8 else both), scene.setting


def say_shows(scene: Scene, say: Speaker, things: list[str]) -> Clause:
    """``a fox shows an owl a key``, and other ways for two to have one thing."""
    (first, second, prop), setting = things, scene.setting
    form = say.rng.random()
    if form < 0.3:
        return f"{first} {say.verb(SHOWS)} {second} {prop}", setting
    if form < 0.4:
        return f"{first} {say.verb(SHOWS)} {prop} to {second}", setting
    if form < 0.6:
        whom = say.rng.choice(("him", "her", "it", first))
        return f"{first} {say.verb(MEETS)} {second}, who shows {whom} {prop}", setting
    if form < 0.85:
        return f"{first} and {second} {say.rng.choice(BOTH_FIND)} {prop}", setting
    return f"{first} and {second} with {prop}", setting


def say_teaches(scene: Scene, say: Speaker, things: list[str]) -> Clause:
    """``a robot teaching students in a village school``; a sage's lesson may be a gurukul."""
    rng, setting, prop = say.rng, scene.setting, things[-1] if scene.prop else ""
    students = rng.choice(STUDENTS)
    if scene.actors[0].code == SAGE and say.maybe(0.4):
        opening = rng.choice(GURUKULS)
        return opening + (f" with {prop}" if prop and scene.prop != SCHOOL else ""), setting
    text = f"{things[0]} {say.verb(TEACHES)} {students}"
    if say.maybe(0.15):
        text = f"{things[0]} and {students}"
    if scene.prop == SCHOOL:
        if say.maybe(0.7):
            return text, rng.choice(("in a village school", "at the village school"))
        return f"{text} at {say.article('school')}", setting
    if prop:
        text += f" {'under' if scene.prop == TREE else 'with'} {prop}"
    return text, setting


def say_students(scene: Scene, say: Speaker, things: list[str]) -> Clause:
    """``students learning``, perhaps under something."""
    students = say.rng.choice(STUDENTS)
    if say.maybe(0.2):
        students = say.rng.choice(("three students", "boys and girls", "three children"))
    doing = f" {say.rng.choice(LEARNS)}" if say.maybe(0.75) else ""
    return f"{students}{doing}" + (f" under {things[-1]}" if scene.prop else ""), scene.setting


def say_under(scene: Scene, say: Speaker, things: list[str]) -> Clause:
    """``a fox sits under a tree``."""
    if scene.students:
        return say_students(scene, say, things)
    return f"{things[0]} {say.rng.choice(UNDER)} {things[-1]}", scene.setting


def say_finds(scene: Scene, say: Speaker, things: list[str]) -> Clause:
    """``a fox finds a key``, or is just beside it."""
    if say.maybe(0.12):
        joint = say.rng.choice(("and", "next to", "beside", "near"))
        return f"{things[0]} {joint} {things[-1]}", scene.setting
    return f"{things[0]} {say.verb(FINDS)} {things[-1]}", scene.setting


def say_looks_at(scene: Scene, say: Speaker, things: list[str]) -> Clause:
    """``a fox looks at a key``."""
    return f"{things[0]} {say.verb(LOOKS)} {things[-1]}", scene.setting


def say_rides(scene: Scene, say: Speaker, things: list[str]) -> Clause:
    """``a fox rides a rocket``, or what one does with such a thing."""
    verbs = RIDES_BY_PROP[scene.prop or ""] if say.maybe(0.3) else RIDES
    return f"{things[0]} {say.verb(verbs)} {things[-1]}", scene.setting


def say_holds(scene: Scene, say: Speaker, things: list[str]) -> Clause:
    """``a fox holds a book``, or what one does with such a thing, or just has it."""
    own = HOLDS_BY_PROP.get(scene.prop or "", ())
    if own and say.maybe(0.3):
        return f"{things[0]} {say.verb(own)} {things[-1]}", scene.setting
    if not scene.actors[0].hat and say.maybe(0.12):
        return f"{things[0]} with {things[-1]}", scene.setting
    return f"{things[0]} {say.verb(HOLDS)} {things[-1]}", scene.setting


def say_many(scene: Scene, say: Speaker, things: list[str]) -> Clause:
    """``a fox with a crown, a key and an owl``, in any order."""
    *most, last = say.rng.sample(things, len(things))
    return f"{', '.join(most)} and {last}", scene.setting


CLAUSES: dict[str, Callable[[Scene, Speaker, list[str]], Clause]] = {
    "prop": say_prop,
    "alone": say_alone,
    "finds": say_finds,
    "holds": say_holds,
    "looks at": say_looks_at,
    "rides": say_rides,
    "flies over": say_flies_over,
    "meets": say_meets,
    "shows": say_shows,
    "teaches": say_teaches,
    "students": say_students,
    "under": say_under,
    CROWD: say_many,
}


def clause(scene: Scene, say: Speaker) -> Clause:
    """Say what happens; a verb's object comes last among the phrases it is made from."""
    things = [say.actor(actor) for actor in scene.actors]
    if scene.prop:
        things.append(say.thing(scene.prop))
    things += [say.thing(thing) for thing in scene.things]
    return CLAUSES[scene.relation](scene, say, things)


def with_setting(text: str, setting: str, rng: random.Random) -> str:
    """The setting last, after a comma or not, or first."""
    form = rng.random()
    if form < 0.5:
        return f"{text} {setting}"
    if form < 0.78:
        return f"{text}, {setting}"
    return f"{setting}{',' if rng.random() < 0.7 else ''} {text}"


def with_oddities(text: str, rng: random.Random) -> str:
    """Words from outside the world behind the sentence, letters of no word inside it."""
    if rng.random() < 0.3:
        text = f"{text}{rng.choice((', ', ' '))}{rng.choice(TAILS)}"
    if rng.random() < 0.2:
        letters = "".join(rng.choices("abcdefghijklmnoprstuvwyz", k=rng.randint(2, 7)))
        words = text.split(" ")
        words.insert(rng.randrange(len(words) + 1), letters)
        text = " ".join(words)
    return text


def with_style(text: str, rng: random.Random) -> str:
    """Style words before or after; more than half of the time the film's own."""
    style = rng.choice(STYLES) if rng.random() < 0.6 else STYLES[0]
    form = rng.random()
    if form < 0.6:
        return f"{style}, {text}"
    return f"{style} of {text}" if form < 0.75 else f"{text}, {style}"


def caption(scene: Scene, rng: random.Random) -> str:
    """One sentence about ``scene``; another state of ``rng`` gives another sentence."""
    say = Speaker(rng, odd=rng.random() < 0.12)
    text, setting = clause(scene, say)
    if setting is not None:
        phrase = say.setting(setting) if setting in SETTING_SYNONYMS else setting
        text = with_setting(text, phrase, rng)
    if say.odd:
        text = with_oddities(text, rng)
    if rng.random() < 0.45:
        text = with_style(text, rng)
    luck = rng.random()
    if luck < 0.4:
        text = text[0].upper() + text[1:]
    elif luck < 0.45:
        text = text.upper()
    return text + "." if rng.random() < 0.25 else text


def vocabulary() -> list[str]:
    """Every word that means something to the model, lower-case and sorted; fillers left out."""
    world = load_world()
    texts: list[str] = [*STYLES, *STUDENTS, *LEARNS, *world.settings]
    for group in (world.characters, world.hats, world.props):
        for names in group.values():
            texts.extend(names)
    for code in (*world.characters, *world.hats):
        texts.extend(plural(name) for name in world.names(code))
    for synonyms in (*SETTING_SYNONYMS.values(), *PLACES.values()):
        texts.extend(synonyms)
    tables = [ALONE, FINDS, HOLDS, LOOKS, RIDES, FLIES, FLIES_ALONE, MEETS, SHOWS, TEACHES]
    tables += [*HOLDS_BY_PROP.values(), *RIDES_BY_PROP.values()]
    for verbs in tables:
        for verb in verbs:
            texts.extend(verb)
    texts.append(
        "a an the and with wearing wears who in of is are to him her it two three under below near "
        "beside next meet play walk dance talk stand together friends find discover look see have "
        "light knowledge as lamp bright shines glows shining glowing meditating meditates young "
        "gurukul traditional boys girls person people reading talks stand"
    )
    return sorted({word for text in texts for word in re.findall(r"[a-z0-9']+", text.lower())})
