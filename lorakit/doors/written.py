"""Documents of others' texts, as YAML."""

from __future__ import annotations

from typing import Any

_WIDE = 1_000_000  # no text is folded


class Quoted(str):
    """A text of others, always in quotes: what it looks like is never taken for something else."""

    __slots__ = ()


def as_yaml(data: dict[str, Any]) -> str:
    """A document in the order of its keys."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
            return True

    Dumper.add_representer(
        Quoted,
        lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"'),
    )
    dumped: str = yaml.dump(data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=_WIDE)
    return dumped
