"""Where a team's cache is: a URL or a folder, checked before anything is asked of it.

An address may be a stranger's, as a project's file is: only protocols that are named here are spoken, and
nothing secret stands in one, since addresses are printed, logged and kept in git.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from lorakit.records import record

FOLDER = "file"
# a URL's scheme -> the protocol as fsspec calls it
PROTOCOLS = {
    "file": FOLDER,
    "s3": "s3",
    "gs": "gs",
    "gcs": "gs",
    "az": "az",
    "abfs": "az",
    "sftp": "sftp",
    "ssh": "sftp",
    "http": "http",
    "https": "https",
    "memory": "memory",
}
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")  # two letters at least: C: is a disk
_SAID = "file, s3, gs, az, sftp, ssh, http, https"


class BadAddress(ValueError):
    """An address that no cache can have; its words say why, and hold nothing secret."""


@record
class Address:
    """A cache's `protocol`, and its `url` without a slash at the end; of a folder its absolute path."""

    protocol: str
    url: str

    @property
    def readable_only(self) -> bool:
        """Whether nothing can be written there, whatever one may."""
        return self.protocol in ("http", "https")


def parse(text: str, base: Path) -> Address:
    """An address as it is written; a folder is meant from `base`. Raises BadAddress."""
    if not text.strip() or not text.isprintable():
        raise BadAddress("it is empty, or holds what cannot be printed")
    found = _SCHEME.match(text)
    if found is None or found[1].lower() == FOLDER:
        return Address(FOLDER, str(_folder(text, base)))
    scheme = found[1].lower()
    if scheme not in PROTOCOLS:
        raise BadAddress(f"{scheme}: is spoken by no cache; there are: {_SAID}, or a folder")
    try:
        parts = urlsplit(text)
        host, port, password = parts.hostname, parts.port, parts.password
    except ValueError as error:
        raise BadAddress("it is no URL") from error
    if "::" in text or not text.lower().startswith(f"{scheme}://"):
        raise BadAddress(f"it is no URL: write {scheme}://…")
    if password is not None or (parts.username and PROTOCOLS[scheme] != "sftp"):
        raise BadAddress("it holds a name or a password: those stay in the environment")
    if parts.query or parts.fragment:
        raise BadAddress("what follows ? or # may be secret: it stays in the environment")
    if not host and scheme != "memory":
        raise BadAddress(f"it names no {'bucket' if scheme in ('s3', 'gs', 'gcs') else 'host'}")
    if ".." in unquote(parts.path).split("/"):
        raise BadAddress("it leads out of itself (..)")
    assert port is None or port > 0
    return Address(PROTOCOLS[scheme], scheme + text[len(scheme) :].rstrip("/"))


def _folder(text: str, base: Path) -> Path:
    path = text
    if text[:5].lower() == "file:":
        parts = urlsplit(text)
        if parts.netloc not in ("", "localhost") or parts.query or parts.fragment:
            raise BadAddress("a folder is written file:///its/path, or as it is")
        path = unquote(parts.path)
    try:
        return (base / Path(path).expanduser()).absolute()
    except (RuntimeError, ValueError) as error:
        raise BadAddress("it is no path of a folder") from error


def redacted(text: str) -> str:
    """A text of others, as an error of a library, without what stands between :// and @ or after ?."""
    text = re.sub(r"(\w+://)[^/\s@]*:[^/\s@]*@", r"\1…@", text)
    return re.sub(r"([?&][\w.-]+=)[^&\s'\"]+", r"\1…", text)
