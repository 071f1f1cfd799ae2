from __future__ import annotations

import re
from pathlib import Path

import checked
import pytest

import lorakit

ROOMS = ("kinds", "facts", "plan")
CODE = re.compile(r"""(?:\b(?:finding|DataError|problem|Diagnostic)\(\s*"([a-z]+(?:-[a-z]+)*)",)""")
# what only another machine, other packages or an earlier run can bring about: see the unit tests
ELSEWHERE = {"bad-config", "disk", "environment", "memory", "missing-compiler", "missing-package"}
# of families whose models are too large for a golden: tests/func/test_families.py
ELSEWHERE |= {"chain", "scheduler"}
ELSEWHERE |= {"distilled"}  # of one of them too: tests/func/test_flow_training.py
ELSEWHERE |= {"wrong-model"}  # of a model in one file, which is too large for a golden
# of what was drawn before: tests/func/test_picks.py
ELSEWHERE |= {"approval", "stale-pick"}
ELSEWHERE |= {"no-voice", "voice"}  # of the programs of this machine: tests/func/test_narration.py
ELSEWHERE |= {"machine"}  # of one with a GPU, or with LORAKIT_DEVICE set
ELSEWHERE |= {"beats"}  # of a package that is not here: tests/unit/kinds
ELSEWHERE |= {"cache"}  # of a server: tests/unit/remote
ELSEWHERE |= {"encoder", "ffmpeg"}  # of another ffmpeg: tests/unit/kinds/test_written_films.py
ELSEWHERE |= {"signing"}  # of a user's config: tests/unit/rendering/test_signed_film.py


@pytest.mark.parametrize("case", checked.cases(), ids=checked.name)
def test_what_cannot_be_made_gets_its_message(case: Path) -> None:
    expected = checked.golden(case).read_text(encoding="utf-8")
    assert checked.text(case) == expected, "to accept the new text: python tests/checked/checked.py"


@pytest.mark.parametrize("case", checked.cases(), ids=checked.name)
def test_a_case_stands_in_its_code_s_folder(case: Path) -> None:
    text = checked.golden(case).read_text(encoding="utf-8")
    assert re.search(rf"(error|warning)\[{case.parent.parent.name}\]", text)


def test_every_code_of_planning_occurs() -> None:
    room = Path(lorakit.__file__).parent
    in_source = {
        code
        for name in ROOMS
        for file in (room / name).rglob("*.py")
        for code in CODE.findall(file.read_text("utf-8"))
    }
    assert len(in_source) > 25
    assert in_source - {case.parent.parent.name for case in checked.cases()} == ELSEWHERE
