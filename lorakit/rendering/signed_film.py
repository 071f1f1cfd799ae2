"""Films with a signed manifest that says what made them (C2PA), by c2pa-python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lorakit
from lorakit.language.story.film_formats import FORMATS
from lorakit.rendering.ffmpeg_writer import FilmError
from lorakit.rendering.xmp import source_uri

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lorakit.plan.tasks.finished_film import SignedFilmTask

_GOOD = ("Valid", "Trusted")  # the second where the machine knows who stands behind the certificate


def write_signed_film(
    target: Path, task: SignedFilmTask, inputs: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """Write the film with its manifest, and have the library's reader judge it; of pictures each.

    Yields (signed, in all). Raises FilmError.
    """
    import c2pa

    files = {name: target.parent / file for name, file in task.outputs().items()}
    yield 0, len(files)
    try:
        for file in files.values():
            file.parent.mkdir(exist_ok=True)
        with _signer(c2pa, task) as signer:
            for number, (name, file) in enumerate(files.items(), 1):
                _sign(c2pa, signer, task, Path(inputs[name]), file)
                yield number, len(files)
    except BaseException as error:
        for file in files.values():
            file.unlink(missing_ok=True)
        if isinstance(error, (c2pa.C2paError, OSError)):
            raise FilmError(f"the film cannot be signed: {error}") from error
        raise


def _sign(c2pa: Any, signer: Any, task: SignedFilmTask, plain: Path, target: Path) -> None:
    media = FORMATS[task.format].signed_as
    with (
        c2pa.Builder(_manifest(task, media)) as builder,
        plain.open("rb") as film,
        target.open("w+b") as signed,
    ):
        builder.sign(signer, media, film, signed)
    _check(c2pa, target, media)


def _signer(c2pa: Any, task: SignedFilmTask) -> Any:
    chain, key = (Path(one).read_bytes() for one in (task.certificate_file, task.key_file))
    told = c2pa.C2paSignerInfo(
        alg=task.algorithm.encode(),
        sign_cert=chain,
        private_key=key,
        ta_url=task.timestamps.encode() or None,
    )
    return c2pa.Signer.from_info(told)


def _manifest(task: SignedFilmTask, media: str) -> dict[str, Any]:
    """What is claimed: the film was made, by lorakit, of what."""
    agent = {"name": "lorakit", "version": lorakit.__version__}
    created = {
        "action": "c2pa.created",
        "digitalSourceType": source_uri(task.source_type),
        "softwareAgent": agent,
    }
    return {
        "claim_generator_info": [agent],
        "format": media,
        "title": task.name,
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [created]}}],
    }


def _check(c2pa: Any, film: Path, media: str) -> None:
    with film.open("rb") as file, c2pa.Reader(media, file) as reader:
        told = json.loads(reader.json())
    if told.get("validation_state") in _GOOD:
        return
    failures = told.get("validation_results", {}).get("activeManifest", {}).get("failure", ())
    why = "; ".join(str(one.get("explanation") or one.get("code")) for one in failures)
    raise FilmError(f"the film's signature does not hold: {why or 'its reader does not say why'}")
