"""What an agent can ask for that makes nothing, in words: each is a command with its output as a text."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lorakit import resources, terminal
from lorakit.cli.mcp.inside import WIDE, Inside
from lorakit.cli.options import Request
from lorakit.diagnostics import LorakitError, count_line, render


def request(
    inside: Inside,
    document: str,
    settings: Sequence[str] = (),
    profile: str = "",
    only: Sequence[str] = (),
    force: Sequence[str] = (),
    *,
    draft: bool = False,
) -> Request:
    """What `plan` and `run` are asked. Raises LorakitError for a document that is elsewhere."""
    path = inside.path(document)
    return Request(
        path, tuple(settings), profile or None, tuple(only), tuple(force), draft, "reuse"
    )


def validate(inside: Inside, paths: Sequence[str]) -> str:
    """What `lorakit validate` says of documents, or of all in a folder."""
    from lorakit.cli.validate import NOTHING_HERE, checked, documents

    named = tuple(inside.path(one) for one in paths) or (Path(),)
    files = list(dict.fromkeys(documents(named)))
    held = list(inside.held(files))
    shown = checked(held)
    said = [render(shown)] if shown else []
    if len(held) < len(files):
        said.append("links that leave the project were passed over")
    if not files:
        said.append(NOTHING_HERE)
    return "\n\n".join([*said, count_line(shown, len(held))])


def plan(asked: Request, *, frames: bool) -> str:
    """What `lorakit plan` says."""
    from lorakit.ui.plan_view import show_plan

    session, selection = asked.open()
    found = session.plan(selection)
    asked.check_reach(found, session.project)
    text = io.StringIO()
    show_plan(found, terminal.console(text, width=WIDE), frames=frames)
    return text.getvalue()


def diff(inside: Inside, revisions: str, documents: Sequence[str]) -> str:
    """What `lorakit diff` says, in Markdown. Raises LorakitError, also for a part of a repository."""
    from lorakit.cli.diff import sides_of
    from lorakit.diff.compare import comparison
    from lorakit.git.repository import Repository
    from lorakit.language.found import documents_below
    from lorakit.ui.diff_markdown import MARK, comparison_as_markdown

    asked = [inside.path(one) for one in documents]
    for document in documents_below(inside.root):
        inside.path(str(document))  # all that there are may be read
    with Repository.around(inside.root) as repository:
        if repository.root != inside.root:
            raise LorakitError(
                f"the project {inside.root} is a part of the repository {repository.root}: "
                f"start lorakit mcp with --project {repository.root} to compare revisions"
            )
        sides = sides_of((revisions,) if revisions else (), repository)
        with comparison(repository, *sides, asked) as found:
            return comparison_as_markdown(found).removeprefix(MARK).lstrip()


def pick(inside: Inside, document: str, frame: str, take: int, *, remove: bool) -> str:
    """What `lorakit pick --json` says: takes of frames with their files, or what a choice comes to."""
    from lorakit.cli import pick as command

    told = command.told(inside.path(document), frame, take or None, remove=remove)
    return json.dumps(told, indent=1, ensure_ascii=False)


def status(inside: Inside, documents: Sequence[str]) -> str:
    """What `lorakit status --json` says: runs that are going on, the last one, what is out of date."""
    from lorakit.upkeep.project_status import project_status

    named = [inside.path(one) for one in documents]
    found = project_status(inside.root, named, inside.held)
    return json.dumps(found.as_json(), indent=1, ensure_ascii=False)


def schema(name: str) -> str:
    """What `lorakit schema` prints, without blanks and what is for lorakit alone: it must fit an answer."""
    text = (resources.path("schemas") / f"{name}.schema.json").read_text("utf-8")

    def plain(told: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in told.items() if not key.startswith("x-")}

    return json.dumps(
        json.loads(text, object_hook=plain), ensure_ascii=False, separators=(",", ":")
    )
