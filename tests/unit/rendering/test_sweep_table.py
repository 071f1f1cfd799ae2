"""What is told of a sweep's members, and which is best."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from lorakit.diagnostics import LorakitError
from lorakit.plan.tasks.figures import Choice, SweepBestTask, SweepMember, SweepTableTask
from lorakit.rendering.comparison import aligned
from lorakit.rendering.sweep_table import Result, best_of, table, write_best, write_sweep


def result(name: str, like: str, accuracy: float | None, **more: float) -> Result:
    figures = None if accuracy is None else {"accuracy": accuracy, **more}
    values = dict(part.split("=") for part in name.split(","))
    return Result(name, like, values, figures)


LUCKY = [
    result("rank=2,seed=1", "rank=2", 0.70),
    result("rank=2,seed=2", "rank=2", 0.95),
    result("rank=4,seed=1", "rank=4", 0.86),
    result("rank=4,seed=2", "rank=4", 0.88),
    result("rank=8,seed=1", "rank=8", None),
]


def test_the_best_are_best_on_average_and_of_them_the_best_seed() -> None:
    best, least = best_of(LUCKY, "accuracy", "max"), best_of(LUCKY, "accuracy", "min")
    assert best is not None
    assert best.name == "rank=4,seed=2"  # not the one lucky seed of rank 2
    assert least is not None
    assert least.name == "rank=2,seed=1"
    assert best_of(LUCKY, "macro_f1", "max") is None
    assert best_of(LUCKY[-1:], "accuracy", "max") is None


def test_a_table_tells_values_figures_means_and_what_failed() -> None:
    assert table(LUCKY, LUCKY[3]) == (
        "|        | rank | seed | accuracy, held out |\n"
        "| ------ | ---: | ---: | -----------------: |\n"
        "|        |    2 |    1 |            70.00 % |\n"
        "|        |    2 |    2 |            95.00 % |\n"
        "| mean   |    2 |      |            82.50 % |\n"
        "|        |    4 |    1 |            86.00 % |\n"
        "| best   |    4 |    2 |            88.00 % |\n"
        "| mean   |    4 |      |            87.00 % |\n"
        "| failed |    8 |    1 |                    |\n"
    )


def test_the_figure_that_decides_is_shown_whatever_it_is() -> None:
    found = [result("rank=2", "rank=2", 0.5, sharpness=3.25)]
    assert "| sharpness |" in table(found, None, "sharpness")
    assert "sharpness" not in table(found, None)


def written(folder: Path) -> tuple[SweepBestTask, dict[str, str]]:
    inputs = {}
    for number, accuracy in ((1, 0.8), (2, 0.9)):
        figures, adapter = folder / f"figures_{number}", folder / f"adapter_{number}"
        figures.write_text(json.dumps({"accuracy": accuracy, "method": "lora"}))
        adapter.write_bytes(b"weights %d" % number)
        inputs |= {f"metrics_{number}": str(figures), f"adapter_{number}": str(adapter)}
    members = tuple(
        SweepMember(
            name=f"rank={number}",
            like=f"rank={number}",
            values={"rank": str(number)},
            metrics=f"metrics_{number}",
            files={"adapter": f"adapter_{number}"},
        )
        for number in (1, 2, 3)  # the third failed: nothing of it is among the inputs
    )
    by = Choice("accuracy", "max")
    return SweepBestTask(members, by, {"adapter": "adapter.safetensors"}), inputs


def test_both_forms_are_written_and_agree(tmp_path: Path) -> None:
    task, inputs = written(tmp_path)
    outputs = write_sweep(tmp_path, SweepTableTask(task.members, task.best), inputs)
    told = json.loads(Path(outputs["metrics"]).read_text())
    assert told["best"] == "rank=2"
    assert [m["figures"] and m["figures"]["accuracy"] for m in told["members"]] == [0.8, 0.9, None]
    assert Path(outputs["table"]).read_text().count("best") == 1


def test_the_best_member_s_files_are_handed_on(tmp_path: Path) -> None:
    task, inputs = written(tmp_path)
    (tmp_path / "out").mkdir()
    outputs = write_best(tmp_path / "out", task, inputs)
    assert Path(outputs["adapter"]).read_bytes() == b"weights 2"
    assert Path(outputs["adapter"]).name == "adapter.safetensors"
    with pytest.raises(LorakitError, match="no member of the sweep came to a figure"):
        write_best(tmp_path / "out", task, {})


def test_values_of_any_letters_stand_in_columns() -> None:
    told = aligned(
        [
            ["", "style", "seed"],
            ["best", "水彩, 柔らか", "1"],
            ["", "a|b\n c", "22"],
            ["", "x" * 200, "3"],
        ]
    )
    lines = told.splitlines()
    assert len({cell_len(line) for line in lines if "\\|" not in line}) == 1
    assert [len(re.split(r"(?<!\\)\|", line)) for line in lines] == [5] * 5
    assert "a\\|b c" in told
    assert "x" * 80 + "…" in told
