"""`lorakit pick`: choose one of a frame's takes, or look at them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit import terminal
from lorakit.cli import outcome
from lorakit.cli.options import profile_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorakit.language.story.decisions import FrameName
    from lorakit.plan.frame_takes import FrameTakes
    from lorakit.upkeep.deciding import Deciding


@click.command("pick")
@click.argument("document", type=click.Path(path_type=Path), metavar="STORYBOARD|RECIPE")
@click.argument("frame", required=False, default="", metavar="[FRAME]")
@click.option("--take", type=click.IntRange(min=1), metavar="N", help="The take that is meant.")
@click.option("--remove", is_flag=True, help="Take a pick back.")
@profile_option
@click.option("--json", "as_json", is_flag=True, help="Takes, picks and files as JSON.")
def command(
    document: Path, frame: str, take: int | None, remove: bool, profile: str | None, as_json: bool
) -> int:
    """Choose a take of FRAME, such as meadow/2, or show the takes of a frame, a scene or the whole board.

    The choice is a line in board.picks.yaml beside the board, which belongs in git. The next run goes on from
    it: frames that are chained from FRAME are drawn again, and nothing else.
    """
    from lorakit.upkeep.deciding import UnknownFrame, deciding

    if take is not None and remove:
        raise click.UsageError("--take and --remove are two things: leave one out")
    if (take is not None or remove) and not frame:
        raise click.UsageError("say which frame, as in meadow/2")
    try:
        found = deciding(document, frame, profile)
        known = found.board.decisions.picks if remove else ()
        whole = not frame or frame == found.step.name
        names = found.every_frame() if whole else found.named(frame, known)
        if take is None and not remove:
            return _show(found, names, as_json=as_json, asked=bool(frame))
        if len(names) == 1:
            return _pick(found, names[0], take, as_json=as_json)
    except UnknownFrame as error:
        raise click.UsageError(str(error)) from error
    raise click.UsageError(f"{frame} is a scene: say which of its frames, as in {names[0]}")


def _pick(found: Deciding, name: FrameName, take: int | None, *, as_json: bool) -> int:
    from lorakit.language.story.decisions import Pick
    from lorakit.session import load

    before = found.board.decisions.picks.get(name)
    pick = None
    if take is not None:
        pick = Pick(take, found.take(name, take).digest)
    found.write(found.board.decisions.picking(name, pick))
    project = found.session.project
    plan = load(project.recipe.path, profile=found.session.profile).plan()
    again = [one.action.id for one in plan.to_make if one.action.kind == "frame"]
    file = _shown(found.file)
    if as_json:
        told = {
            "frame": str(name),
            "take": take,
            "picture": pick.picture if pick else None,
            "file": file,
            "to_draw": again,
            "to_make": len(plan.to_make),
            "seconds": round(plan.estimate.seconds, 1),
        }
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return outcome.DONE
    if pick is None and before is None:
        click.echo(f"{name} was not picked: nothing is changed")
    elif pick is None:
        click.echo(f"took back the pick of {name}: take 1 stands for it  {terminal.quoted(file)}")
    else:
        was = f", instead of take {before.take}" if before and before.take != take else ""
        click.echo(f"picked take {take} of {name}{was}  {terminal.quoted(file)}")
    _tell_of_run(found, len(again), len(plan.to_make), plan.estimate.seconds)
    return outcome.DONE


def _tell_of_run(found: Deciding, frames: int, to_make: int, seconds: float) -> None:
    from lorakit.plan import numbers

    if not to_make:
        click.echo("nothing is to be made")
        return
    drawn = f"draws {numbers.count(frames, 'frame')}, {numbers.about(seconds)}"
    what = drawn if frames else f"draws no frame, {numbers.about(seconds)}"
    click.echo(f"lorakit run {terminal.quoted(found.document)} {what}")


def _shown(path: Path) -> str:
    from lorakit.language import FolderReader

    return FolderReader().display(path)


def _show(found: Deciding, names: Sequence[FrameName], *, as_json: bool, asked: bool) -> int:
    from lorakit.store.store import FOLDER
    from lorakit.ui.takes_view import draw, lines, write_sheet

    frames = [
        one for one in found.frames(names) if asked or len(one.takes) > 1 or one.picked or one.held
    ]
    store = found.session.project.home / FOLDER
    sheet = write_sheet(frames, found.board.title, store, found.board.path.stem)
    if as_json:
        told = {
            "document": found.document,
            "file": _shown(found.file),
            "sheet": str(sheet) if sheet else None,
            "frames": [_as_json(one) for one in frames],
        }
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return outcome.DONE
    if not frames:
        click.echo("no frame has several takes: write takes: 4 on the board, a scene or a sentence")
    console = terminal.console()
    for one in frames:
        for line in lines(one):
            click.echo(terminal.line(line))
        draw(one, console)
    if sheet is not None:
        click.echo(f"sheet   {terminal.quoted(_shown(sheet))}")
    if any(len(one.takes) > 1 for one in frames):
        example = next(one.name for one in frames if len(one.takes) > 1)
        click.echo(f"choose  lorakit pick {terminal.quoted(found.document)} {example} --take 2")
    return outcome.DONE


def _as_json(frame: FrameTakes) -> dict[str, object]:
    return {
        "frame": str(frame.name),
        "caption": frame.caption,
        "chosen": frame.chosen,
        "picked": frame.picked,
        "stale": frame.stale,
        "approved": frame.held,
        "held": frame.changed,
        "takes": [
            {
                "take": one.number,
                "drawn": bool(one.digest),
                "picture": one.digest or None,
                "file": str(one.picture) if one.picture else None,
            }
            for one in frame.takes
        ],
    }
