"""What stands on the Hugging Face hub, as this machine's copy of it."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Literal

from lorakit.diagnostics import LorakitError, shortened
from lorakit.facts.hub.hub_errors import HubError, in_words, no_room

Kind = Literal["model", "dataset"]
Choose = Callable[[Collection[str]], Sequence[str]]
Complete = Callable[[Path], bool]
# as the schema of recipes has it
_REVISION = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_./+-]{0,199}\Z")


def snapshot(
    repository: str,
    *,
    download: bool,
    repo_type: Kind = "model",
    revision: str | None = None,
    wanted: Choose | None = None,
    complete: Complete | None = None,
) -> Path | None:
    """The folder of a repository's files, called after its commit; None if it is not here and may not be.

    Opens no connection where the files are here. `wanted` chooses among all paths of the repository those
    that are fetched; `complete` says whether a folder has them all, whoever fetched it. Raises HubError.
    """
    _check(repository, revision)
    try:
        here, whole = _here(repository, repo_type, revision)
        if here is not None and (complete(here) if complete else whole):
            return here
        if not download:
            return None
        names = None if wanted is None else _chosen(repository, repo_type, revision, wanted)
        return _fetch(repository, repo_type, revision, names)
    except LorakitError:
        raise
    except Exception as error:
        raise in_words(repository, revision, error) from error


def commit_of(repository: str, repo_type: Kind, revision: str = "") -> str:
    """The commit that a revision is at on the hub now, the newest by default. Raises HubError."""
    from huggingface_hub import HfApi

    _check(repository, revision)
    try:
        told = HfApi().repo_info(repository, repo_type=repo_type, revision=revision or None)
    except Exception as error:
        raise in_words(repository, revision, error) from error
    return str(told.sha)


def _check(repository: str, revision: str | None) -> None:
    """Raise HubError for no name of a revision: the hub's library opens the file of that name."""
    if revision and not _REVISION.match(revision):
        raise HubError(
            f"hub:{repository} has no revision {shortened(revision)}: "
            "write the name of a commit, a branch or a tag"
        )


def _here(repository: str, repo_type: Kind, revision: str | None) -> tuple[Path | None, bool]:
    """The folder of the files that are here, and whether the hub's list of them has no more."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        found = snapshot_download(
            repository, repo_type=repo_type, revision=revision, local_files_only=True
        )
    except LocalEntryNotFoundError as error:
        # another program fetched what it needed, which may be all that we need
        part = getattr(error, "snapshot_path", None)
        return (Path(part) if part else None), False
    return Path(found), True


def _chosen(
    repository: str, repo_type: Kind, revision: str | None, wanted: Choose
) -> Sequence[str]:
    """The names of the files to fetch. Raises HubError where the disk has no room for them."""
    from huggingface_hub import HfApi, constants

    told = HfApi().repo_info(
        repository, repo_type=repo_type, revision=revision, files_metadata=True
    )
    siblings = getattr(told, "siblings", None) or ()
    sizes: dict[str, int] = {file.rfilename: file.size or 0 for file in siblings}
    names = wanted(sizes)
    need = sum(sizes[name] for name in names)
    cache = Path(constants.HF_HUB_CACHE)
    there = next(folder for folder in (cache, *cache.parents) if folder.is_dir())
    home = cache / f"{repo_type}s--{repository.replace('/', '--')}"
    kept = sum(file.stat().st_size for file in home.glob("blobs/*"))
    free = shutil.disk_usage(there).free
    if need - kept > free:
        raise no_room(repository, need - kept, free, cache)
    return names


def _fetch(
    repository: str, repo_type: Kind, revision: str | None, names: Sequence[str] | None
) -> Path:
    from huggingface_hub import snapshot_download

    from lorakit.facts.hub.hub_bars import Bar, close_bars

    patterns = None if names is None else list(names)
    try:
        return Path(
            snapshot_download(
                repository,
                repo_type=repo_type,
                revision=revision,
                allow_patterns=patterns,
                tqdm_class=Bar,
            )
        )
    finally:
        close_bars()
