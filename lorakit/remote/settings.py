"""Which cache a project has: LORAKIT_CACHE, else the user's config, else the project's `lorakit.yaml`.

    project: 1
    cache: s3://bucket/lorakit

A project's file may be a stranger's. What it names is read from, and written to only where the user names the
same place: else a repository that somebody cloned would have his results sent to whom he does not know.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from lorakit.diagnostics import InvalidDocument, LorakitError, in_order
from lorakit.facts.files.user_config import config_path, section
from lorakit.language.yaml import access, schemas, validation
from lorakit.language.yaml.findings import Findings
from lorakit.language.yaml.reader import FolderReader
from lorakit.records import record
from lorakit.remote.address import Address, BadAddress, parse

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

FILE = "lorakit.yaml"
VARIABLE = "LORAKIT_CACHE"
SCHEMA = "project.schema.json"
OFF = "off"
Mode = Literal["read", "read-write"]
Accept = Literal["any", "same-gpu", "same-versions"]
_DEFAULTS = schemas.defaults(SCHEMA, "cache")


@record
class CacheSettings:
    """A cache and how it is used; `timeout` in seconds, `source` says where it is named.

    It is `untrusted` where only a project's file names it, and then read only.
    """

    address: Address
    mode: Mode = _DEFAULTS["mode"]
    timeout: float = _DEFAULTS["timeout"]
    accept: Accept = _DEFAULTS["accept"]
    source: str = ""
    untrusted: bool = False

    @property
    def writable(self) -> bool:
        """Whether results are sent there."""
        return self.mode == "read-write" and not self.untrusted and not self.address.readable_only

    @property
    def why_read(self) -> str:
        """Why it is only read, in words; empty where it is written to."""
        if self.writable:
            return ""
        if self.address.readable_only:
            return "read only, as all that is served over HTTP"
        if self.mode == "read":
            return f"read only, as {self.source} says"
        return f"read only: to write to it as well, name it in {VARIABLE} or in your config, {config_path()}"


def cache_settings(root: Path) -> CacheSettings | None:
    """The cache of the project at `root`; None where there is none. Raises InvalidDocument, LorakitError."""
    told = os.environ.get(VARIABLE, "").strip()
    theirs = _of_project(root)
    if told:
        mine = None if told == OFF else _of_variable(told)
    else:
        ours = _of_file(config_path(), "", None)
        if ours is _NOT_SAID:
            return replace(theirs, untrusted=True) if theirs is not None else None
        mine = cast("CacheSettings | None", ours)
    if mine is not None and theirs is not None and mine.address == theirs.address and told:
        # the variable says whether, the project's file how
        return replace(theirs, source=mine.source)
    return mine


def _of_variable(told: str) -> CacheSettings:
    try:
        address = parse(told, Path.cwd())
    except BadAddress as error:
        raise LorakitError(f"{VARIABLE} is no address of a cache: {error}") from error
    return CacheSettings(address, source=VARIABLE)


def _of_project(root: Path) -> CacheSettings | None:
    found = _of_file(root / FILE, "a project", root)
    return None if found is _NOT_SAID else cast("CacheSettings | None", found)


_NOT_SAID = object()


def _of_file(path: Path, name: str, root: Path | None) -> object:
    """The cache that a file names, None where it is off, or that nothing is said. Raises InvalidDocument."""
    findings = Findings()
    found: object = _NOT_SAID
    node = section("cache", SCHEMA, findings, path, name)
    if node is not None and not findings:
        found = _settings(node, findings, root or path.parent, FolderReader().display(path))
    if findings:
        raise InvalidDocument(in_order(findings.all))
    return found


def _settings(node: Node, findings: Findings, base: Path, source: str) -> CacheSettings | None:
    value = validation.plain(node, [])
    told = {"url": value} if isinstance(value, str) else dict(value)
    if told["url"] == OFF:
        return None
    try:
        address = parse(str(told.pop("url")), base)
    except BadAddress as error:
        at = access.child(node, "url") or node
        hint = "for example: cache: s3://bucket/lorakit"
        findings.error("bad-cache", f"this is no address of a cache: {error}", at, hint)
        return None
    return CacheSettings(address, source=source, **told)
