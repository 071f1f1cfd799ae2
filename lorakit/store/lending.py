"""Results out of one store into another: those that nothing can make again, as frames that are held."""

from __future__ import annotations

from collections.abc import Iterable

from lorakit.files import read_regular
from lorakit.store.store import Store


def lend(keys: Iterable[str], source: Store, target: Store) -> None:
    """Copy results by their keys, as far as they are there and whole; the other store is not changed.

    Raises StoreError where the target cannot be written, OSError where a file cannot be read.
    """
    for key in dict.fromkeys(keys):
        manifest = source.manifest(key)
        outputs = manifest.outputs.values() if manifest is not None else ()
        if manifest is None or not all(map(source.has, outputs)):
            continue
        for output in outputs:
            target.put(read_regular(source.object_path(output.digest), output.size))
        target.record(manifest)
