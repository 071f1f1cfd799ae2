from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorakit.diagnostics import Place
from lorakit.language.story.documents import Character
from lorakit.language.story.mentions import Cast, names_of
from lorakit.language.story.reading import SceneMemory
from lorakit.language.story.stand_ins import usual_name
from lorakit.language.yaml.findings import Findings
from lorakit.language.yaml.nodes import Source

PLACE = Place("x", 1, 1)
WORDS = [
    "the",
    "bunny",
    "fox",
    "he",
    "she",
    "they",
    "it",
    "his",
    "her",
    "a",
    "happy",
    "meets",
    "key",
    "{bunny}",
    "and",
]
WHITE = "a white bunny with a magic hat"
BUNNY = Character("bunny", WHITE, "the bunny", ("rabbit",), "he", PLACE)
ALIEN = Character("alien", "an alien explorer", "the alien", ("explorer",), "he", PLACE)
FOX = Character("fox", "a red fox", "Foxy", (), "she", PLACE)
ROBOT = Character("old_robot", "Max the robot", "Max", (), "it", PLACE)
OWL = Character("owl", "an owl", "the owl", (), None, PLACE)


def told(
    *sentences: str, cast: tuple[Character, ...] = (BUNNY, FOX)
) -> tuple[list[str], list[str], list[str]]:
    """The prompts, captions and codes of a scene's sentences."""
    findings = Findings()
    compiled = Cast(cast)
    memory = SceneMemory()
    source = Source(Path("x"), "x", "\n".join(sentences))
    found = [
        compiled.read(text, source.spot(line, 1), memory, findings)
        for line, text in enumerate(sentences, 1)
    ]
    return (
        [one.prompt for one in found],
        [one.caption for one in found],
        [one.code for one in findings.all],
    )


@pytest.mark.parametrize(
    ("sentence", "prompt", "caption"),
    [
        ("The bunny finds a key", f"{WHITE} finds a key", "The bunny finds a key"),
        ("A key for the Bunny.", f"A key for {WHITE}.", "A key for the bunny."),
        ("RABBIT finds a key", f"{WHITE} finds a key", "The bunny finds a key"),
        ("{bunny} finds a key", f"{WHITE} finds a key", "The bunny finds a key"),
        ("{ Bunny } finds a key", f"{WHITE} finds a key", "The bunny finds a key"),
        ("The bunny's key", f"{WHITE}'s key", "The bunny's key"),
        ("The bunny\u2019s key", f"{WHITE}'s key", "The bunny's key"),
        ("{bunny}'s key", f"{WHITE}'s key", "The bunny's key"),
        ("The white bunny finds a key", f"{WHITE} finds a key", "The white bunny finds a key"),
        ("The bunny with a magic hat sleeps", f"{WHITE} sleeps", "The bunny with a magic hat sleeps"),
        ("A white bunny sleeps", f"{WHITE} sleeps", "A white bunny sleeps"),
        ("{bunny} with a magic hat sleeps", f"{WHITE} sleeps", "The bunny with a magic hat sleeps"),
        ("The happy bunny sleeps", "a happy white bunny with a magic hat sleeps", "The happy bunny sleeps"),
        ("The angry fox sleeps", "an angry red fox sleeps", "The angry Foxy sleeps"),
        ("The robin chases bunny", f"The robin chases {WHITE}", "The robin chases the bunny"),
        ("A bunny-hop", "A bunny-hop", "A bunny-hop"),
        ("The bunnyhop of bunnies", "The bunnyhop of bunnies", "The bunnyhop of bunnies"),
        ("A door {{with}} braces", "A door {with} braces", "A door {with} braces"),
        ("\u201cBunny!\u201d", f"\u201c{WHITE}!\u201d", "\u201cThe bunny!\u201d"),
        ("Fox meets bunny", f"a red fox meets {WHITE}", "Foxy meets the bunny"),
        ("Nothing happens", "Nothing happens", "Nothing happens"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_names_become_anchors_and_captions(sentence: str, prompt: str, caption: str) -> None:
    prompts, captions, codes = told(sentence)
    assert prompts == [prompt]
    assert captions == [caption]
    assert not codes


def test_an_id_of_two_words_is_meant_with_a_blank_too() -> None:
    prompts, _, _ = told("The old robot and the old_robot", cast=(ROBOT,))
    assert prompts == ["Max the robot and Max the robot"]


def test_a_name_and_its_alias_in_a_row_are_one_mention() -> None:
    prompts, captions, _ = told("The alien explorer waits", cast=(ALIEN,))
    assert prompts == ["an alien explorer waits"]
    assert captions == ["The alien explorer waits"]


@pytest.mark.parametrize(
    ("second", "prompt", "caption"),
    [
        ("He finds a key", f"{WHITE} finds a key", "The bunny finds a key"),
        ("His key glows", f"{WHITE}'s key glows", "The bunny's key glows"),
        ("A key for him", f"A key for {WHITE}", "A key for the bunny"),
    ],
)
def test_a_pronoun_is_the_character_mentioned_last(second: str, prompt: str, caption: str) -> None:
    prompts, captions, codes = told("The bunny waits", second)
    assert (prompts[1], captions[1]) == (prompt, caption)
    assert not codes


def test_a_pronoun_stays_where_the_sentence_has_its_character_already() -> None:
    prompts, captions, codes = told("The bunny holds his hat", "He holds his hat")
    assert prompts == [f"{WHITE} holds his hat"] * 2
    assert captions == ["The bunny holds his hat"] * 2
    assert not codes


@pytest.mark.parametrize(
    ("sentence", "prompt"),
    [
        ("Bunny takes her hat", f"{WHITE} takes a red fox's hat"),
        ("Bunny meets her", f"{WHITE} meets a red fox"),
        ("Bunny meets her in a forest", f"{WHITE} meets a red fox in a forest"),
    ],
)
def test_her_is_a_possessive_before_a_thing_and_an_object_elsewhere(
    sentence: str, prompt: str
) -> None:
    assert told("The fox waits", sentence)[0][1] == prompt


def test_the_latest_sentence_with_a_mention_decides() -> None:
    prompts, _, codes = told("The bunny waits", "The alien waits", "He sleeps", cast=(BUNNY, ALIEN))
    assert prompts[2] == "an alien explorer sleeps"
    assert not codes


def test_two_in_one_sentence_make_a_pronoun_ambiguous() -> None:
    prompts, _, codes = told("The bunny meets the alien", "He sleeps", cast=(BUNNY, ALIEN))
    assert prompts[1] == "an alien explorer sleeps"
    assert codes == ["ambiguous-pronoun"]


def test_pronouns_of_different_kinds_do_not_compete() -> None:
    prompts, _, codes = told("The bunny meets the fox", "He waves", "She waves")
    assert prompts[1:] == [f"{WHITE} waves", "a red fox waves"]
    assert not codes


def test_they_are_the_two_that_met() -> None:
    prompts, captions, codes = told(
        "The bunny meets the fox", "They look at a door", "Their door is red"
    )
    assert prompts[1] == f"{WHITE} and a red fox look at a door"
    assert captions[1] == "The bunny and Foxy look at a door"
    assert captions[2] == "The bunny and Foxy's door is red"
    assert not codes


def test_a_scene_may_open_with_a_pronoun_that_only_one_character_has() -> None:
    assert told("He sleeps")[0] == [f"{WHITE} sleeps"]
    assert told("He sleeps", cast=(BUNNY, ALIEN))[2] == ["unclear-pronoun"]


@pytest.mark.parametrize(
    "scene",
    [
        ("Foxy builds a boat.", "It sinks."),
        ("A boat sails.", "It sinks."),
        ("A boat sails. It sinks.",),
        ("Foxy sleeps.", "It is loud, and it rings."),
        ("The fox's kite is torn. It falls.",),
    ],
)
def test_it_is_the_thing_that_the_scene_has_met_and_nobody_of_another_scene(
    scene: tuple[str, ...],
) -> None:
    prompts, _, _ = told(*scene, cast=(FOX, ROBOT))
    assert "robot" not in " ".join(prompts)
    assert told("It sleeps", "It wakes", cast=(FOX, ROBOT))[0][1] == "Max the robot wakes"


@pytest.mark.parametrize(
    ("sentence", "codes"),
    [
        ("They sleep", ["unclear-pronoun"]),
        ("It flies", ["unclear-pronoun"]),
        ("It is night", []),
        ("It's night", []),
        ("It rains", []),
        ("The bunny holds it", []),
        ("The bunny meets them", []),
    ],
)
def test_pronouns_for_nobody(sentence: str, codes: list[str]) -> None:
    assert told(sentence)[2] == codes


def test_a_board_without_characters_is_warned_only_of_a_leading_pronoun() -> None:
    assert told("A boy holds his ball", cast=())[2] == []
    assert told("He holds a ball", cast=())[2] == ["unclear-pronoun"]


def test_a_character_without_pronouns_is_named_in_the_hint() -> None:
    findings = Findings()
    cast, memory, source = Cast([OWL]), SceneMemory(), Source(Path("x"), "x", "The owl\nShe sleeps")
    cast.read("The owl", source.spot(1, 1), memory, findings)
    cast.read("She sleeps", source.spot(2, 1), memory, findings)
    assert findings.all[0].hints[0] == "if it means owl, give owl pronouns: she"
    assert findings.all[0].place == Place("x", 2, 1, 3)


@pytest.mark.parametrize("sentence", ["{nobody} sleeps", "{} sleeps", "{bunny", "bunny}"])
def test_braces_must_name_someone(sentence: str) -> None:
    codes = told(sentence)[2]
    assert set(codes) <= {"unknown-character", "stray-brace"}
    assert codes


def test_a_prompt_of_its_own_is_left_alone_but_for_braces() -> None:
    findings = Findings()
    source = Source(Path("x"), "x", "x")
    found = Cast([BUNNY]).expand("bunny, {bunny}, he, {{x}}", source.spot(1, 1), findings)
    assert found.prompt == f"bunny, {WHITE}, he, {{x}}"
    assert found.characters == ("bunny",)


def test_names_are_told_once_in_small_letters() -> None:
    assert names_of(ROBOT) == ["old_robot", "old robot"]
    assert names_of(BUNNY) == ["bunny", "rabbit"]


@given(st.text(max_size=80))
def test_any_sentence_is_read(sentence: str) -> None:
    told(sentence, sentence)


@given(st.lists(st.sampled_from(WORDS)))
def test_who_is_mentioned_stands_in_the_prompt(words: list[str]) -> None:
    findings = Findings()
    text = " ".join(words)
    source = Source(Path("x"), "x", text)
    found = Cast([BUNNY, FOX]).read(text, source.spot(1, 1), SceneMemory(), findings)
    for character in (BUNNY, FOX):
        body = character.anchor.removeprefix("a ")
        assert (character.id in found.characters) == (body in found.prompt)


@pytest.mark.parametrize(
    "sentence", ["The al\u0131en h\u0131s", "The al\u0130en", "Al\u0131en's \u0130t \u0131t"]
)
def test_letters_that_only_some_take_for_equal_do_no_harm(sentence: str) -> None:
    told(sentence, sentence, cast=(ALIEN, ROBOT))


def test_letters_beyond_ascii_belong_to_names() -> None:
    cat = Character("cat", "a grey cat", "Kätzchen", ("Straßenkatze", "ねこ"), "she", PLACE)
    prompts, _, codes = told("Die Straßenkatze", "ねこ", "STRAßENKATZE", cast=(cat,))
    assert prompts == ["Die a grey cat", "a grey cat", "a grey cat"]
    assert not codes


@pytest.mark.parametrize("spelled", ["José", "Jose\u0301", "JOSÉ", "jose\u0301"])
@pytest.mark.parametrize("alias", ["José", "Jose\u0301"])
def test_a_letter_and_its_mark_are_one_however_they_are_written(alias: str, spelled: str) -> None:
    boy = Character("boy", "a boy", "the boy", (alias,), "he", PLACE)
    assert told(f"{spelled} sleeps, Jose wakes", cast=(boy,))[0] == ["a boy sleeps, Jose wakes"]
    jose = Character("jose", "a boy", "Jose", (), "he", PLACE)
    assert told("Jose\u0301 sleeps", cast=(jose,))[0] == ["Jose\u0301 sleeps"]


def test_dotted_capitals_and_sharp_s_are_found_in_any_case() -> None:
    town = Character("town", "a town", "the town", ("\u0130stanbul", "gro\u00df"), "it", PLACE)
    assert told("\u0130stanbul, GROSS, Gross, gro\u00df", cast=(town,))[0] == [
        "a town, a town, a town, a town"
    ]


@pytest.mark.parametrize(
    ("name", "anchor", "told", "called"),
    [
        ("tom", "a boy in a red cap", "Tom sleeps. In the forest, Tom wakes", "Tom"),
        ("tom", "a boy in a red cap", "The tired Tom sleeps", "the tom"),
        ("alien", "a green creature", "The alien waits. Alien!", "the alien"),
        ("bunny", "a white bunny", "Bunny sleeps", "the bunny"),
        ("bunny", "a white rabbit", "Anna and bunny", "the bunny"),
        ("bunny", "a white rabbit", "{bunny} sleeps", "the bunny"),
        ("tom", "a boy", "Atom bombs", "the tom"),
        ("小红", "a girl", "小红睡觉", "小红"),
        ("will", "a knight", "Will sleeps. Anna will sing", "Will"),
        ("rose", "a girl", "Anna holds a rose. There Rose sings", "Rose"),
        ("rose", "a red rose", "Anna holds a rose. There Rose sings", "the rose"),
    ],
)  # fmt: skip
def test_a_character_without_a_name_is_called_as_it_is_told(
    name: str, anchor: str, told: str, called: str
) -> None:
    assert usual_name(name, anchor, told) == called
