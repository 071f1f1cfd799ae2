"""The folder of this user in which what was found out about this machine is kept for all projects."""

from __future__ import annotations

from pathlib import Path


def user_cache() -> Path:
    """Where it is; it need not exist. What stands in it can be found anew."""
    import platformdirs

    return platformdirs.user_cache_path("lorakit", appauthor=False)
