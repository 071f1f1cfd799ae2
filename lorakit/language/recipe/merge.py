"""Recipes that build on others: `extends`, profiles and settings, merged as nodes.

Mappings merge, lists and values replace, null deletes. Nodes keep their places through a merge, so that an
error points into the file that its value came from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.yaml import access, names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lorakit.language.recipe.paths import Paths
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

MOST_BASES = 50


def merged(base: Node, over: Node) -> Node:
    """`over` laid over `base`; neither is changed."""
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    value = dict(base.value)
    keys = dict(base.keys or {})
    deleted = dict(base.deleted or {})
    for key, child in over.value.items():
        if child.value is None:
            value.pop(key, None)
            keys.pop(key, None)
            deleted[key] = (over.keys or {}).get(key, child)
            continue
        below = value.get(key)
        if below is None and isinstance(child.value, dict):
            below = child.like({})
            below.keys = {}
        value[key] = merged(below, child) if below is not None else child
        # an error about a mapping points to where its author last touched it
        keys[key] = (over.keys or {})[key]
    result = over.like(value)
    result.keys = keys
    result.deleted = deleted
    return result


def base_link(root: Node) -> Node | None:
    """What a recipe says that it extends."""
    link = access.child(root, "extends")
    return link if link is not None and isinstance(link.value, str) else None


def base_path(link: Node, ring: Sequence[Path], paths: Paths, findings: Findings) -> Path | None:
    """The recipe that another extends; `ring` are those that lead to it, the first first."""
    path = paths.file(link, "recipe", findings)
    if path is None:
        return None
    if path in ring:
        shown = [paths.reader.display(document) for document in (*ring[ring.index(path) :], path)]
        message = f"extends goes round in a ring: {' -> '.join(shown)}"
        findings.error("extends-cycle", message, link, "remove one of these lines")
        return None
    if len(ring) > MOST_BASES:
        message = f"more than {MOST_BASES} recipes extend each other"
        findings.error("extends-cycle", message, link, "copy what is needed into one of them")
        return None
    return path


def merged_line(line: Sequence[Node]) -> Node:
    """Recipes laid over each other, the last lowest, without their `extends`."""
    result = _without(line[-1], "extends")
    for over in reversed(line[:-1]):
        result = merged(result, _without(over, "extends"))
    return result


def with_profile(root: Node, name: str, findings: Findings) -> Node:
    """A recipe with one of its profiles laid over it."""
    profiles = access.mapping(root, "profiles")
    if name not in profiles:
        findings.error(
            "unknown-profile",
            f"the recipe has no profile {name}" if profiles else "the recipe has no profiles",
            root.key_spot("profiles") if profiles else None,
            names.did_you_mean(name, profiles)
            or (
                f"its profiles: {names.listed(profiles)}"
                if profiles
                else f"profiles: {{{name}: …}} would be one"
            ),
        )
        return root
    return merged(root, profiles[name])


def _without(root: Node, key: str) -> Node:
    assert isinstance(root.value, dict)
    result = root.like({name: child for name, child in root.value.items() if name != key})
    result.keys = {name: child for name, child in (root.keys or {}).items() if name != key}
    return result
