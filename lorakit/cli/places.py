"""`--on`: the machines that a run's workers are on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from lorakit.cli.progress_line import waiting

if TYPE_CHECKING:
    from lorakit.cluster.ray_places import RayPlaces
    from lorakit.cluster.slurm_places import SlurmPlaces
    from lorakit.execute.pool import Workers

HERE, RAY, SLURM = "here", "ray", "slurm"

on_option = click.option(
    "--on",
    "place",
    type=click.Choice([HERE, RAY, SLURM]),
    default=HERE,
    help="Where models compute: here, or on a cluster as your config says (docs/cluster.md).",
)


@contextmanager
def machines(place: str) -> Iterator[RayPlaces | SlurmPlaces | None]:
    """The machines of a cluster, and what they are; None for this one. Raises LorakitError."""
    if place == HERE:
        yield None
        return
    if place == RAY:
        from lorakit.cluster.ray_places import RayPlaces
        from lorakit.cluster.settings import ray_settings

        ray = ray_settings()
        with RayPlaces(ray) as places:
            if ray.ask:
                places.ask(waiting())
            else:
                places.count_room()
            yield places
        return
    from lorakit.cluster.settings import slurm_settings
    from lorakit.cluster.slurm_places import SlurmPlaces

    slurm = slurm_settings()
    with SlurmPlaces(slurm) as jobs:
        if slurm.ask:
            jobs.ask(waiting())
        else:
            jobs.count_room()
        yield jobs


@contextmanager
def kept_workers(places: RayPlaces | SlurmPlaces | None) -> Iterator[Workers | None]:
    """The workers of a run: on other machines, or those that this program keeps, if it does."""
    if places is None:
        yield click.get_current_context().obj
        return
    from lorakit.execute.pool import Workers

    with Workers(places) as workers:
        yield workers
