"""What the hub's errors mean to somebody who wants its files, and the way out of each."""

from __future__ import annotations

import errno
import re
import socket
from collections.abc import Iterator
from pathlib import Path

from lorakit.diagnostics import LorakitError

_NO_ADDRESS = re.compile(
    r"name or service not known|name resolution|nodename nor servname|getaddrinfo|no address",
    re.IGNORECASE,
)
_LOG_IN = "`hf auth login`, or HF_TOKEN in the environment"


class HubError(LorakitError):
    """A repository cannot be opened or downloaded; `hints` are ways out."""

    def __init__(self, message: str, *hints: str) -> None:
        super().__init__(message)
        self.hints = hints


def no_room(repository: str, need: float, free: float, cache: Path) -> HubError:
    """A download that would fill the disk."""
    return HubError(
        f"hub:{repository} needs {need / 1e9:.1f} GB more of disk, and {cache} has {free / 1e9:.1f} GB free",
        "free some space (`hf cache ls` lists what was downloaded), or let HF_HOME name another disk",
    )


def in_words(repository: str, revision: str | None, error: Exception) -> HubError:
    """The error that a user reads: what the hub, the network or the disk said."""
    for cause in _causes(error):
        found = _known(f"hub:{repository}", repository, revision, cause)
        if found is not None:
            return found
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return HubError(f"hub:{repository} cannot be downloaded: {first}")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """What went wrong first comes last in Python's chain, and says most: an error's cause before itself."""
    line: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in line:
        line.append(at)
        at = at.__cause__ or at.__context__
    from huggingface_hub.errors import HfHubHTTPError

    # but the hub's own word stands above the bare answer that it was made from
    return iter([e for e in line if isinstance(e, HfHubHTTPError)] + line[::-1])


def _known(
    name: str, repository: str, revision: str | None, error: BaseException
) -> HubError | None:
    return _of_the_hub(name, repository, revision, error) or _of_the_way(name, error)


def _of_the_hub(
    name: str, repository: str, revision: str | None, error: BaseException
) -> HubError | None:
    from huggingface_hub import constants, errors

    page = f"{constants.ENDPOINT}/{repository}"
    if isinstance(error, errors.GatedRepoError):
        return HubError(
            f"{name} is gated: its owner lets in those who accepted its terms",
            f"accept them at {page}, then give that account's token: {_LOG_IN}",
        )
    if isinstance(error, errors.DisabledRepoError):
        return HubError(f"{name} was closed by the hub or its owner", f"{page} may say why")
    if isinstance(error, errors.RevisionNotFoundError):
        return HubError(
            f"{name} has no revision {revision or 'main'}",
            f"its branches and commits are at {page}/commits",
        )
    if isinstance(error, errors.RepositoryNotFoundError):
        return HubError(
            f"there is no {name}, or it is private",
            "look for a slip in owner/name; a private one needs its owner's token: " + _LOG_IN,
        )
    if isinstance(error, errors.RemoteEntryNotFoundError):
        return HubError(f"{name} lacks a file that it lists", f"look at {page}/tree/main")
    if isinstance(error, errors.HFValidationError):
        return HubError(
            f"{name} is no name of a repository", "write hub:owner/name, as the hub's page has it"
        )
    if isinstance(error, errors.HfHubHTTPError):
        return _by_status(name, error.response.status_code)
    if isinstance(error, errors.OfflineModeIsEnabled):
        return HubError(
            f"{name} is not on this machine, and HF_HUB_OFFLINE forbids to fetch it",
            "unset HF_HUB_OFFLINE",
        )
    return None


def _by_status(name: str, status: int) -> HubError:
    if status == 401:
        return HubError(
            f"the hub does not accept this machine's token for {name} (401)",
            f"give a valid one: {_LOG_IN}; or remove it: `hf auth logout`",
        )
    if status == 403:
        return HubError(
            f"this machine's token may not read {name} (403)",
            f"give one that may: {_LOG_IN}",
        )
    if status == 429:
        return HubError(
            f"the hub has had too many requests from here, and holds {name} back (429)",
            f"run again in some minutes; who is logged in may ask more often: {_LOG_IN}",
        )
    if status >= 500:
        return HubError(
            f"the hub is out of order ({status}), and {name} cannot be downloaded",
            "run again later; https://status.huggingface.co says how it is",
        )
    return HubError(f"{name} cannot be downloaded: the hub answers {status}")


def _of_the_way(name: str, error: BaseException) -> HubError | None:
    """What the network or the disk says."""
    kind = type(error).__name__
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        from huggingface_hub import constants

        return HubError(
            f"the disk is full: {name} does not fit into {constants.HF_HUB_CACHE}",
            "free some space (`hf cache ls` lists what was downloaded), or let HF_HOME name another disk",
        )
    if isinstance(error, PermissionError):
        return HubError(
            f"{name} cannot be kept: {error.filename or 'the cache'} may not be written",
            "let HF_HOME name a folder that may be written",
        )
    if isinstance(error, socket.gaierror) or (
        kind in ("ConnectError", "ConnectionError") and _NO_ADDRESS.search(str(error))
    ):
        return HubError(
            f"{name} cannot be downloaded: the hub's address is not found (no network, or no DNS)",
            "connect this machine, or see HF_ENDPOINT if it is set",
        )
    if isinstance(error, TimeoutError) or "Timeout" in kind:
        return HubError(
            f"{name} cannot be downloaded: the hub did not answer in time",
            "run again: what has arrived is kept; HF_HUB_DOWNLOAD_TIMEOUT may be more seconds",
        )
    if kind == "ProxyError":
        return HubError(
            f"{name} cannot be downloaded: the proxy refuses ({error})",
            "see HTTPS_PROXY in the environment",
        )
    if isinstance(error, ConnectionError) or kind in ("ConnectError", "SSLError", "ReadError"):
        return HubError(
            f"{name} cannot be downloaded: the hub cannot be reached ({error})",
            "is there a network, a firewall, a proxy (HTTPS_PROXY)? run again: what has arrived is kept",
        )
    return None
