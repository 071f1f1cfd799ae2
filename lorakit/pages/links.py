"""Paths of files as links: whatever a file is called, its link leads to a file, and to no other site."""

from __future__ import annotations

from urllib.parse import quote


def link(path: str) -> str:
    """A path relative to the page as a URL; empty where it is none, or leaves for another site.

    `javascript:x` is a file of that name. A leading `../` is kept: earlier runs lie beside this one.
    """
    if not path or path.startswith("/"):
        return ""
    try:
        encoded = path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half of a pair: no file is called so
        encoded = path.encode("utf-8", "replace")
    return "./" + quote(encoded, safe="/-._~")


def token(text: str) -> str:
    """Any text as an id of an element: letters, digits and bars, different for different texts."""
    kept = "".join(
        c if c.isascii() and (c.isalnum() or c == "-") else f"_{ord(c):x}_" for c in text
    )
    return f"i-{kept}"
