"""What the user's config says of clusters: its mistakes are told where they stand, all at once."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from lorakit.cluster.settings import (
    SCHEMA,
    RaySettings,
    SlurmSettings,
    ray_settings,
    slurm_settings,
)
from lorakit.diagnostics import InvalidDocument
from lorakit.language.yaml import schemas


def config(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return path


def test_without_a_config_each_worker_asks_for_one_cpu_and_one_gpu(tmp_path: Path) -> None:
    assert ray_settings(tmp_path / "none.yaml") == RaySettings(cpus=1, gpus=1, workers=0)
    for text in ("cluster:\n", "", "# nothing\n", "roots: {sd: ~/models}\n"):
        assert slurm_settings(config(tmp_path, text)) == SlurmSettings(time=60)


def test_the_keys_are_those_of_the_documentation(tmp_path: Path) -> None:
    text = """\
cluster:
  ray: {address: "ray://head:10001", cpus: 0.5, gpus: 1, resources: {big: 1}, shared: true, ask: false}
  slurm: {folder: /disk, partition: gpu, time: 120, options: {qos: high}}
"""
    path = config(tmp_path, text)
    assert ray_settings(path) == RaySettings(
        "ray://head:10001", 0.5, 1, resources={"big": 1}, shared=True, ask=False
    )
    assert slurm_settings(path) == SlurmSettings("/disk", "gpu", time=120, options={"qos": "high"})
    # the schema's keys, all of them
    for kind in (RaySettings, SlurmSettings):
        keys = schemas.load(SCHEMA)["definitions"][kind.__name__.removesuffix("Settings").lower()]
        assert set(keys["properties"]) == {f.name for f in fields(kind)}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            'cluster:\n  ray: {adress: "x:1", cpus: four}\n  slrm: {}\n',
            """\
{path}:2:9: error[unknown-key]: unknown key adress
  2 |   ray: {adress: "x:1", cpus: four}
    |         ^^^^^^
  = did you mean address?

{path}:2:30: error[wrong-type]: cpus must be a number; four is a text
  2 |   ray: {adress: "x:1", cpus: four}
    |                              ^^^^
  = for example: cpus: 4

{path}:3:3: error[unknown-key]: unknown key slrm
  3 |   slrm: {}
    |   ^^^^
  = did you mean slurm?""",
        ),
        ("cluster: 3\n", "{path}:1:10: error[wrong-type]: cluster must be a mapping"),
        ("cluster:\n  ray: four\n", "{path}:2:8: error[wrong-type]: ray must be a mapping"),
        ("cluster: {ray: {shared: 1}}", ":1:25: error[wrong-type]: shared must be true or false"),
        ("cluster: {ray: {cpus: -1}}", ":1:23: error[out-of-range]: cpus must be from 0"),
        ("cluster: {ray: {cpus: .inf}}", ":1:23: error[not-finite]: .inf is not a number"),
        ("cluster: {ray: {workers: 1.5}}", ":1:26: error[wrong-type]: workers must be a whole number"),
        ("cluster: {ray: {3: 1}}", ":1:17: error[unknown-key]: unknown key 3"),
        ("cluster: {ray: {resources: {big: many}}}", ":1:34: error[wrong-type]: big must be a number"),
        ("cluster: {ray: {labels: {a: 1}}}", ":1:29: error[wrong-type]: a must be a text"),
        ("cluster: {slurm: {options: {qos: [a]}}}", ":1:34: error[wrong-type]: qos must be a text"),
        ("cluster: {ray: {address: }}", ":1:26: error[wrong-type]: address has no value"),
        ("cluster: {ray: [\n", ":1:16: error[yaml-syntax]: what opens here is not closed"),
        ("- a\n", ":1:1: error[bad-config]: a config must be a mapping"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_where_it_stands(tmp_path: Path, text: str, told: str) -> None:
    path = config(tmp_path, text)
    with pytest.raises(InvalidDocument) as raised:
        ray_settings(path)
    assert told.replace("{path}", str(path)) in str(raised.value)
