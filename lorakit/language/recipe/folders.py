"""A name as a folder that every file system takes, and that no other name's folder is."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import cache

# Windows keeps these for devices, whatever comes after a dot
_DEVICES = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|\Z)", re.IGNORECASE)
_LONGEST = 160  # bytes; a folder's name may have 255
_MARK = 8  # hexadecimal digits


@cache
def folder_name(name: str) -> str:
    """The folder of whatever is called `name`: letters and digits of any script, blanks, dots, dashes and _.

    Where more than that is lost, eight digits of the name's SHA-256 stand behind it.
    """
    text = unicodedata.normalize("NFC", name)
    plain = "".join(char if _kept(char) else "-" for char in text)
    short = plain.strip(" -._").encode("utf-8")[:_LONGEST].decode("utf-8", "ignore")
    folder = short.rstrip(" -._")
    if folder and folder == text and not _DEVICES.match(folder):
        return folder
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_MARK]
    folder = re.sub("-{2,}", "-", folder)
    folder = folder.replace(".", "-") if _DEVICES.match(folder) else folder
    return f"{folder or 'named'}-{digest}"


def in_folder(path: str) -> str:
    """A path in a run folder, as in film/film.mp4, with its step's name as a folder."""
    step, slash, rest = path.partition("/")
    return folder_name(step) + slash + rest


def _kept(char: str) -> bool:
    """Whether a letter may stand in a folder's name; marks belong to the letters of many scripts."""
    return char.isalnum() or char in " ._-" or unicodedata.category(char) in ("Mn", "Mc")
