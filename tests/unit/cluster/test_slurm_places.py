"""Slurm that is not there, or refuses a job: told in its own words, once, and no run hangs on it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lorakit.cluster.settings import SlurmSettings
from lorakit.cluster.slurm_places import SlurmPlaces
from lorakit.diagnostics import LorakitError
from lorakit.execute.seats import Seat

pytest.importorskip("submitit")
REFUSED = """\
#!/bin/sh
echo "sbatch: error: invalid partition specified: nope" >&2
echo "sbatch: error: Batch job submission failed: Invalid partition name specified" >&2
exit 1
"""


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which Slurm's commands are looked for first."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def settings(tmp_path: Path) -> SlurmSettings:
    return SlurmSettings(folder=str(tmp_path / "disk"), partition="nope")


def test_without_a_folder_the_way_out_is_told() -> None:
    with pytest.raises(LorakitError, match=r"cluster: \{slurm: \{folder: /shared/lorakit\}\}"):
        SlurmPlaces(SlurmSettings())


def test_without_slurm_that_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LorakitError, match="no Slurm answers here"):
        SlurmPlaces(settings(tmp_path))


def test_a_partition_that_is_not_there_is_told_in_sbatchs_words(
    tmp_path: Path, commands: Path
) -> None:
    program(commands / "srun", "#!/bin/sh\n")
    program(commands / "sbatch", REFUSED)
    places = SlurmPlaces(settings(tmp_path))
    said = "Slurm's nope partition takes no jobs: .*Invalid partition name specified"
    with pytest.raises(LorakitError, match=said):
        places.told(lambda what: None)
    with (tmp_path / "log").open("ab") as log:
        channel = places.channel(Seat("render", "render", 1), log)
    broken, gone = list(channel.messages())
    assert (broken["event"], gone["event"], gone["code"]) == ("broken", "gone", 1)
    assert "invalid partition specified: nope" in broken["error"]
    assert not channel.alive


def test_what_a_job_asks_for_is_what_is_configured_and_what_the_plan_counts(
    tmp_path: Path, commands: Path
) -> None:
    program(commands / "srun", "#!/bin/sh\n")
    program(
        commands / "sbatch",
        f'#!/bin/sh\ncp "$1" {tmp_path}/job.sh\necho Submitted batch job 7\n',
    )
    options = {"qos": "high", "reservation": "film"}
    chosen = SlurmSettings(
        str(tmp_path / "disk"), "gpu", "me", time=90, cpus=3, constraint="a100", options=options
    )
    places = SlurmPlaces(chosen)
    link = places.link(Seat("train", "train", 3, ("0", "1")), 5_300_000_000)
    job = (tmp_path / "job.sh").read_text()
    for line in (
        "--partition=gpu",
        "--account=me",
        "--time=90",
        "--cpus-per-task=6",
        "--mem=6GB",
        "--constraint=a100",
        "--qos=high",
        "--reservation=film",
        "--job-name=lorakit-train",
    ):
        assert f"#SBATCH {line}\n" in job, job
    link.kill()
