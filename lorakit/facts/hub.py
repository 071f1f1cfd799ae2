"""What stands on the Hugging Face hub, as this machine's copy of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lorakit.diagnostics import LorakitError


class HubError(LorakitError):
    """A repository cannot be opened, or cannot be downloaded."""


def snapshot(
    repository: str,
    *,
    download: bool,
    repo_type: str = "model",
    revision: str | None = None,
    patterns: Sequence[str] | None = None,
) -> Path | None:
    """The folder of a repository's files, called after its commit; None if it is not here and may not be.

    Opens no connection where the files are here. `patterns` are those of the files that are wanted. Raises
    HubError.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    def fetch(*, here: bool) -> Path:
        return Path(
            snapshot_download(
                repository,
                repo_type=repo_type,
                revision=revision,
                allow_patterns=list(patterns) if patterns is not None else None,
                local_files_only=here,
            )
        )

    try:
        return fetch(here=True)
    except LocalEntryNotFoundError:
        if not download:
            return None
    except (OSError, ValueError) as error:
        raise HubError(f"hub:{repository} cannot be opened: {error}") from error
    try:
        return fetch(here=False)
    except Exception as error:
        first = str(error).strip().splitlines()[0]
        raise HubError(f"hub:{repository} cannot be downloaded: {first}") from error
