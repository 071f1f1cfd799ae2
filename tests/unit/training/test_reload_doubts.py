"""A training that is done is kept, whatever a fresh process says of it."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from lorakit.training import image_reload, image_trainer
from tests.support.image_training import fox_recipe, train

pytestmark = pytest.mark.filterwarnings("ignore")
STEP = "lora: {rank: 2}, train: {max_train_steps: 1, batch_size: 1, precision: fp32}"


@pytest.mark.slow
@pytest.mark.parametrize("doubt", ["another prediction", "cannot be loaded"])
def test_finished_work_is_kept_where_it_reloads_differently(
    doubt: str,
    tiny_sd: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    if doubt == "another prediction":
        monkeypatch.setattr(image_reload, "TOLERANCE", -1.0)
    else:  # what is loaded is not there
        check = image_reload.check

        def elsewhere(what: Path, base: Path, *others: Any) -> float:
            return check(what, base / "gone", *others)

        monkeypatch.setattr(image_trainer.image_reload, "check", elsewhere)
    recipe = fox_recipe(tmp_path, tiny_sd, STEP)
    with caplog.at_level(logging.WARNING, "lorakit"):
        done = train(recipe, tmp_path / "scratch")
    assert load_file(done.outputs["adapter"])
    figures = json.loads(Path(done.outputs["metrics"]).read_text())
    assert figures["reloaded_difference"] is None
    said = {
        "another prediction": "draws something else",
        "cannot be loaded": "cannot be loaded again",
    }
    assert said[doubt] in figures["reload_warning"]
    (record,) = [r for r in caplog.records if r.name == "lorakit"]
    assert "style/training is kept" in record.getMessage()
