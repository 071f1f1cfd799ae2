"""Documents that are large or odd on purpose take their time in proportion to their size, or are refused."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lorakit.diagnostics import InvalidDocument, render_text
from lorakit.language import load
from lorakit.language.story.documents import Character
from lorakit.language.story.mentions import Cast
from lorakit.language.story.prompt_syntax import signs
from lorakit.language.story.reading import SceneMemory
from lorakit.language.story.sentences import sentences
from lorakit.language.yaml.findings import Findings
from lorakit.language.yaml.nodes import Source

HEAD = (
    "storyboard: 1\ncharacters: {bunny: {anchor: a bunny, pronouns: he}}\nscenes:\n  - sentences:\n"
)
MUCH = 300_000


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        HEAD + f"      - {'a' * MUCH}! bunny\n",
        HEAD + f"      - {'a ' * MUCH}bunny\n",
        HEAD + f"      - {'bunny ' * (MUCH // 6)}\n",
        HEAD + f"      - {'he ' * (MUCH // 3)}\n",
        HEAD + f"      - {{bunny}}{' ' * MUCH}x\n",
        HEAD + f"      - x{' ' * MUCH}#2\n",
        HEAD + f"      - '{'{' * MUCH}'\n",
        HEAD + f'      - "{"{{" * MUCH}"\n',
        HEAD + f"      - {'a: ' * (MUCH // 3)}\n",
        HEAD + f'      - "{"x" * MUCH}\n',
        HEAD + f"      - x: {'[' * MUCH}\n",
        HEAD + "      - x\n" * 20_000 + "     - y\n",
        HEAD.replace("sentences:", "text: >") + f"      {'The bunny waits. ' * (MUCH // 17)}\n",
        HEAD.replace("sentences:", f"text: '{'x. ' * (MUCH // 3)}'"),
        "storyboard: 1\n" + "".join(f"k{n}: 1\n" for n in range(20_000)),
        "x" * MUCH,
        "? " * MUCH,
        "\n" * MUCH,
        "#" + "\n#" * MUCH,
        # 300,000 sentences once took 98 s, and a text by 30,000 aliases five minutes
        HEAD.replace("sentences:", "text: >") + "      The bunny runs.\n" * 200_000,
        HEAD.replace("sentences:", "text: |") + "      The bunny runs.\n" * 200_000,
        HEAD + "      - The bunny runs\n" * 90_000,
        f"x-t: &t {'The bunny runs. ' * 250}\n{HEAD}{'      - *t' + chr(10)}"
        + "      - *t\n" * 30_000,
        HEAD.replace("a bunny", "a bunny " * 1_200) + f"      - {'{bunny} ' * 490}\n" * 2_000,
        HEAD + f"      - {'the bunny and he ' * 250_000}\n",
        "storyboard: 1\nscenes:\n"
        + "".join(
            f"  - {{name: s{n}, start: 'scene:s{n + 1}', sentences: [x]}}\n" for n in range(9_000)
        ),
        "storyboard: 1\nscenes:\n" + "  - {settng: forest, sentences: [x]}\n" * 9_000,
    ],
    ids=range(27),
)
def test_nothing_takes_long(tmp_path: Path, text: str) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(text)
    began = time.process_time()
    try:
        render_text(load(path).warnings)
    except InvalidDocument as error:
        render_text(error.diagnostics)
    assert time.process_time() - began < 10


@pytest.mark.parametrize(("limit", "most"), [("MOST_SENTENCES", 3), ("MOST_PROMPT_LETTERS", 40)])
def test_a_board_beyond_every_film_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    path = tmp_path / "b.yaml"
    path.write_text(HEAD + "      - The bunny runs\n" * 4)
    assert load(path)
    monkeypatch.setattr(f"lorakit.language.story.budget.{limit}", most)
    with pytest.raises(InvalidDocument, match="too-many-sentences"):
        load(path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece", ["(", "[", "__a", "<a", "AND ", "(a:", "x++", "a::", "it is ", "the ", '"a. ', "\u300c", "tom's "]
)  # fmt: skip
def test_a_sentence_of_signs_is_read_in_time_that_grows_with_it(piece: str) -> None:
    def work(size: int) -> float:
        text = piece * (size // len(piece))
        spot = Source(Path("x"), "x", text).spot(1, 1)
        cast = Cast((Character("tom", "a boy", "Tom", (), "he", spot.place),))
        best = 9e9
        for _ in range(3):
            began = time.process_time()
            list(signs(text))
            list(sentences(text))
            cast.read(text, spot, SceneMemory(), Findings())
            best = min(best, time.process_time() - began)
        return best

    assert work(16_000) < 30 * work(2_000) + 0.2  # eight times as long; no clock but the process's
