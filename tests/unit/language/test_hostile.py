"""Documents that are large or odd on purpose take their time in proportion to their size, or are refused."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from lorakit.diagnostics import InvalidDocument, render_text
from lorakit.language import load

HEAD = (
    "storyboard: 1\ncharacters: {bunny: {anchor: a bunny, pronouns: he}}\nscenes:\n  - sentences:\n"
)
MUCH = 300_000


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
    ],
    ids=range(19),
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
