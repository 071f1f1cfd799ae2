"""`lorakit approve`: hold frames as they are, or release them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.cli.options import profile_option
from lorakit.diagnostics import LorakitError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorakit.language.story.decisions import FrameName
    from lorakit.upkeep.deciding import Deciding


@click.command("approve")
@click.argument("document", type=click.Path(path_type=Path), metavar="STORYBOARD|RECIPE")
@click.argument("frames", nargs=-1, required=True, metavar="FRAME|SCENE...")
@click.option("--release", is_flag=True, help="Let frames follow their inputs again.")
@profile_option
@click.option("--json", "as_json", is_flag=True, help="What is approved, as JSON.")
def command(
    document: Path, frames: tuple[str, ...], release: bool, profile: str | None, as_json: bool
) -> int:
    """Hold frames, such as meadow/2, or whole scenes, whatever changes before them.

    What is approved is a line in board.picks.yaml beside the board, which belongs in git. Its pictures
    stay in the store until it is released.
    """
    from lorakit.upkeep.deciding import UnknownFrame, deciding

    try:
        found = deciding(document, frames[0], profile)
        known = found.board.decisions.approved if release else ()
        names = list(dict.fromkeys(name for text in frames for name in found.named(text, known)))
    except UnknownFrame as error:
        raise click.UsageError(str(error)) from error
    changed = _release(found, names) if release else _approve(found, names)
    file = _shown(found.file)
    if as_json:
        told = {
            "file": file,
            "released" if release else "approved": [str(name) for name in changed],
            "unchanged": [str(name) for name in names if name not in changed],
        }
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return outcome.DONE
    done, other = ("released", "not approved") if release else ("approved", "approved already")
    if changed:
        shown = ", ".join(map(str, changed))
        click.echo(f"{done} {terminal.quoted(shown)}  {terminal.quoted(file)}")
    rest = [str(name) for name in names if name not in changed]
    if rest:
        click.echo(f"{other}: {terminal.quoted(', '.join(rest))}")
    return outcome.DONE


def _approve(found: Deciding, names: Sequence[FrameName]) -> list[FrameName]:
    from lorakit.language.story.decisions import Approval

    decisions, changed, missing = found.board.decisions, [], []
    for frame in found.frames(names):
        take = next((one for one in frame.takes if one.number == frame.chosen), None)
        if frame.held and (
            frame.changed or (take is not None and _is(found, frame.name, take.key))
        ):
            continue
        if take is None or not take.digest or not take.key:
            missing.append(str(frame.name))
            continue
        approval = Approval(take.number, take.digest, take.key)
        decisions = decisions.approving(frame.name, approval)
        changed.append(frame.name)
    if missing:
        raise LorakitError(
            f"not drawn yet, so nothing was approved: {', '.join(missing)}; lorakit run {found.document}"
        )
    if changed:
        found.write(decisions)
    return changed


def _is(found: Deciding, name: FrameName, key: str) -> bool:
    """Whether it is held as it is; a picture of one's own stands for itself."""
    approval = found.board.decisions.approved.get(name)
    return approval is None or approval.key == key


def _release(found: Deciding, names: Sequence[FrameName]) -> list[FrameName]:
    decisions = found.board.decisions
    changed = [name for name in names if name in decisions.approved]
    for name in changed:
        decisions = decisions.approving(name, None)
    if changed:
        found.write(decisions)
    return changed


def _shown(path: Path) -> str:
    from lorakit.language import FolderReader

    return FolderReader().display(path)
