"""Documents: from YAML text to frozen dataclasses. Pure but for a `Reader` handed in.

text -> source (nodes with places) -> schema -> build (with mentions and prompts) -> checks -> Project
"""

from __future__ import annotations

from lorakit.language.loading import Loaded, document_kind, load, load_with_trees, merged
from lorakit.language.yaml.reader import FolderReader, Reader

__all__ = [
    "FolderReader",
    "Loaded",
    "Reader",
    "document_kind",
    "load",
    "load_with_trees",
    "merged",
]
