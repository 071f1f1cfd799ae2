"""Several processes train as one does: the same whole batches, the same losses."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import torch
from torch.distributed import TCPStore

from lorakit import children
from lorakit.training.rank_shard import WHOLE, RankShard, rows_of


def trained(folder: Path, processes: int) -> dict[str, object]:
    """Run the program in so many processes, started as torchrun starts them."""
    # as torchrun's agent does, which holds the port that they meet at
    store = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    group = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1"}
    group |= {"MASTER_PORT": str(store.port), "TORCHELASTIC_USE_AGENT_STORE": "True"}
    started = []
    for rank in range(processes):
        place = {**group, "RANK": str(rank), "LOCAL_RANK": str(rank)} if processes > 1 else {}
        started.append(
            subprocess.Popen(
                children.python("tests.support.train_toy", str(folder)),
                env={**children.environment(), **place},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    told = [process.communicate(timeout=240) for process in started]
    assert all(process.returncode == 0 for process in started), told
    return json.loads(told[0][0].splitlines()[-1])


@pytest.mark.slow
def test_two_processes_lose_what_one_loses(tmp_path: Path) -> None:
    one, two = trained(tmp_path / "one", 1), trained(tmp_path / "two", 2)
    assert (one["of"], two["of"]) == (1, 2)
    assert two["kind"] == "DistributedType.MULTI_CPU"
    for name in ("losses", "norms", "weights", "averages"):
        assert two[name] == pytest.approx(one[name], abs=1e-5), name
    # one of them writes
    log = (tmp_path / "two" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in log] == list(range(1, 13))


def test_a_share_has_every_nth_row_and_weighs_by_its_rows() -> None:
    batch = {"ids": torch.arange(5), "names": list("abcde"), "same": 7}
    parts = [RankShard(rank, 3).cut(batch) for rank in range(3)]
    assert [part["ids"].tolist() for part in parts] == [[0, 3], [1, 4], [2]]
    assert [part["names"] for part in parts] == [["a", "d"], ["b", "e"], ["c"]]
    assert all(part["same"] == 7 for part in parts)
    values = torch.tensor([4.0, 1.0, 7.0, 2.0, 5.0])
    means = [RankShard(r, 3).cut(values).mean() * RankShard(r, 3).weight(5) for r in range(3)]
    assert float(sum(means) / 3) == pytest.approx(float(values.mean()))
    assert WHOLE.cut(batch) is batch
    assert rows_of(batch) == 5


def test_a_share_without_rows_has_one_that_does_not_count() -> None:
    last = RankShard(2, 3)
    assert last.cut(torch.tensor([8, 9])).tolist() == [8]
    assert last.weight(2) == 0


@pytest.mark.parametrize("rows", [1, 4, 5])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_pictures_draw_the_same_noise_whoever_has_them(rows: int) -> None:
    from diffusers import DDPMScheduler

    from lorakit.training.image_task import ImageTask

    class Guess(torch.nn.Module):
        def forward(self, noisy: torch.Tensor, times: torch.Tensor, **told: torch.Tensor):
            return 0.5 * noisy + told["embeds"].mean((1, 2))[:, None, None, None] + times[0] * 0

    rng = torch.Generator().manual_seed(1)
    batch = {
        "mean": torch.randn(rows, 4, 8, 8, generator=rng),
        "logvar": torch.randn(rows, 4, 8, 8, generator=rng),
        "mask": torch.rand(rows, 1, 8, 8, generator=rng),
        "embeds": torch.randn(rows, 3, 6, generator=rng),
        "weight": torch.rand(rows, generator=rng),
    }
    task = ImageTask(Guess(), DDPMScheduler(), None, snr_gamma=5.0, noise_offset=0.1)  # type: ignore[arg-type]

    def loss(shard: RankShard) -> float:
        drawn = torch.Generator().manual_seed(7)
        return float(task.loss(task.model, batch, drawn, shard)) * shard.weight(rows)

    shared = [loss(RankShard(rank, 2)) for rank in range(2)]
    assert sum(shared) / 2 == pytest.approx(loss(WHOLE), rel=1e-5)
