"""What a worker tells of an engine that it cannot have."""

from __future__ import annotations

import io
import json
from typing import NoReturn

import pytest

from lorakit.execute import worker
from lorakit.plan import memory


@pytest.mark.parametrize(
    ("slot", "way_out"),
    [("render", memory.DRAWING), ("encode", memory.DRAWING), ("train", memory.TRAINING)],
)
def test_where_memory_is_short_the_way_out_is_of_the_workers_kind(
    monkeypatch: pytest.MonkeyPatch, slot: str, way_out: str
) -> None:
    def no_memory(*_: object) -> NoReturn:
        raise MemoryError

    monkeypatch.setattr(worker, "build", no_memory)
    out = io.StringIO()
    spec = {
        "name": "a model", "path": ".", "digest": "0", "family": "sd", "vae_factor": 8,
        "precision": "fp32", "device": "cpu", "batch_size": 8,
    }  # fmt: skip
    known = {"render": spec, "encode": {k: spec[k] for k in ("name", "path", "family", "device")}}
    message = {"do": "open", "engine": "e", "spec": known.get(slot, {"name": "a model"})}
    worker.Worker(slot, out)._handle(message)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert told[-1] == {"event": "refused", "engine": "e", "error": f"out of memory: {way_out}"}
