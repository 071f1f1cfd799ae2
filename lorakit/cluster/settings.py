"""`cluster:` in the user's config: what workers on other machines ask for, and where they keep files.

    cluster:
        ray: {address: "ray://head:10001", cpus: 4, gpus: 1, accelerator_type: A100, workers: 8}
        slurm: {folder: /shared/lorakit, partition: gpu, time: 120, account: me, gpus: 1, workers: 4}

Names of the keys are the fields of the classes here; what they mean, and may be, is in the schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TypeVar

from lorakit.diagnostics import InvalidDocument, in_order
from lorakit.facts.files.user_config import section
from lorakit.language.yaml import access, schemas, validation
from lorakit.language.yaml.decode import decode
from lorakit.language.yaml.findings import Findings
from lorakit.records import record

_T = TypeVar("_T", "RaySettings", "SlurmSettings")
SCHEMA = "config.schema.json"
_RAY, _SLURM = schemas.defaults(SCHEMA, "ray"), schemas.defaults(SCHEMA, "slurm")


@record
class RaySettings:
    """What each worker asks Ray for; `memory` and `disk` are in GB, 0 is what the plan counts."""

    address: str = _RAY["address"]
    cpus: float = _RAY["cpus"]
    gpus: float = _RAY["gpus"]
    memory: float = _RAY["memory"]
    accelerator_type: str = _RAY["accelerator_type"]
    resources: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    workers: int = _RAY["workers"]
    folder: str = _RAY["folder"]
    disk: float = _RAY["disk"]
    shared: bool = _RAY["shared"]
    ask: bool = _RAY["ask"]


@record
class SlurmSettings:
    """What each worker asks Slurm for; `time` is in minutes, `memory` and `disk` in GB."""

    folder: str = _SLURM["folder"]
    partition: str = _SLURM["partition"]
    account: str = _SLURM["account"]
    time: int = _SLURM["time"]
    cpus: int = _SLURM["cpus"]
    gpus: int = _SLURM["gpus"]
    memory: float = _SLURM["memory"]
    constraint: str = _SLURM["constraint"]
    options: Mapping[str, str | float | bool] = field(default_factory=dict)
    workers: int = _SLURM["workers"]
    disk: float = _SLURM["disk"]
    shared: bool = _SLURM["shared"]
    ask: bool = _SLURM["ask"]


def ray_settings(config: Path | None = None) -> RaySettings:
    """What the user's config says of Ray. Raises InvalidDocument."""
    return _read(RaySettings, "ray", config)


def slurm_settings(config: Path | None = None) -> SlurmSettings:
    """What the user's config says of Slurm. Raises InvalidDocument."""
    return _read(SlurmSettings, "slurm", config)


def _read(kind: type[_T], name: str, config: Path | None) -> _T:
    findings = Findings()
    told = access.child(section("cluster", SCHEMA, findings, config), name)
    if findings:
        raise InvalidDocument(in_order(findings.all))
    named = ("resources", "labels", "options")
    free = {key: access.child(told, key) for key in named}
    given = {key: validation.plain(node, []) for key, node in free.items() if node is not None}
    return decode(kind, told, **given)
