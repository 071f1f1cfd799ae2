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
    from lorakit.plan.states import Plan
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
    if as_json:
        data = told(document, frame, take, remove=remove, profile=profile)
        click.echo(json.dumps(data, indent=1, ensure_ascii=False))
        return outcome.DONE
    found, names = _meant(document, frame, take, remove=remove, profile=profile)
    if take is None and not remove:
        _show(found, names, asked=bool(frame))
    else:
        _say(found, names[0], take)
    return outcome.DONE


def told(
    document: Path,
    frame: str,
    take: int | None,
    *,
    remove: bool = False,
    profile: str | None = None,
) -> dict[str, object]:
    """What the command does and says, as JSON data. Raises click.UsageError, LorakitError."""
    found, names = _meant(document, frame, take, remove=remove, profile=profile)
    if take is None and not remove:
        frames = _shown_frames(found, names, asked=bool(frame))
        sheet = _sheet(found, frames)
        return {
            "document": found.document,
            "file": _shown(found.file),
            "sheet": str(sheet) if sheet else None,
            "frames": [_as_json(one) for one in frames],
        }
    picture, plan = _pick(found, names[0], take)
    return {
        "frame": str(names[0]),
        "take": take,
        "picture": picture,
        "file": _shown(found.file),
        "to_draw": [one.action.id for one in plan.to_make if one.action.kind == "frame"],
        "to_make": len(plan.to_make),
        "seconds": round(plan.estimate.seconds, 1),
    }


def _meant(
    document: Path, frame: str, take: int | None, *, remove: bool, profile: str | None
) -> tuple[Deciding, list[FrameName]]:
    """The frames that are meant: one, where something is decided."""
    from lorakit.upkeep.deciding import UnknownFrame, deciding

    decides = take is not None or remove
    if take is not None and remove:
        raise click.UsageError("--take and --remove are two things: leave one out")
    if decides and not frame:
        raise click.UsageError("say which frame, as in meadow/2")
    try:
        found = deciding(document, frame, profile)
        known = found.board.decisions.picks if remove else ()
        whole = not frame or frame == found.step.name
        names = found.every_frame() if whole else found.named(frame, known)
        if take is not None and len(names) == 1:
            found.take(names[0], take)
    except UnknownFrame as error:
        raise click.UsageError(str(error)) from error
    if decides and len(names) != 1:
        raise click.UsageError(f"{frame} is a scene: say which of its frames, as in {names[0]}")
    return found, names


def _pick(found: Deciding, name: FrameName, take: int | None) -> tuple[str | None, Plan]:
    """Write a pick, or take it back; the digest of its picture, and what a run makes now."""
    from lorakit.language.story.decisions import Pick
    from lorakit.session import load

    pick = Pick(take, found.take(name, take).digest) if take is not None else None
    found.write(found.board.decisions.picking(name, pick))
    path, profile = found.session.project.recipe.path, found.session.profile
    return pick.picture if pick else None, load(path, profile=profile).plan()


def _say(found: Deciding, name: FrameName, take: int | None) -> None:
    before = found.board.decisions.picks.get(name)
    _, plan = _pick(found, name, take)
    file, shown = terminal.quoted(_shown(found.file)), terminal.line(str(name))
    if take is None and before is None:
        click.echo(f"{shown} was not picked: nothing is changed")
    elif take is None:
        click.echo(f"took back the pick of {shown}: take 1 stands for it  {file}")
    else:
        was = f", instead of take {before.take}" if before and before.take != take else ""
        click.echo(f"picked take {take} of {shown}{was}  {file}")
    frames = sum(one.action.kind == "frame" for one in plan.to_make)
    _tell_of_run(found, frames, len(plan.to_make), plan.estimate.seconds)


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


def _store(found: Deciding) -> Path:
    from lorakit.store.store import FOLDER

    return found.session.project.home / FOLDER


def _sheet(found: Deciding, frames: Sequence[FrameTakes]) -> Path | None:
    """The sheet of frames' takes, in the lettering of the board; None where no take is drawn."""
    from lorakit.kinds.letters import font_face
    from lorakit.ui.takes_view import write_sheet

    board = found.board
    face = font_face(board.video)
    return write_sheet(frames, board.title, _store(found), board.path.stem, face)


def _shown_frames(found: Deciding, names: Sequence[FrameName], *, asked: bool) -> list[FrameTakes]:
    """Those that were asked for; of a whole board those on which there is something to decide."""
    return [
        one for one in found.frames(names) if asked or len(one.takes) > 1 or one.picked or one.held
    ]


def _show(found: Deciding, names: Sequence[FrameName], *, asked: bool) -> None:
    from lorakit.ui.takes_view import draw, lines

    frames = _shown_frames(found, names, asked=asked)
    if not frames:
        click.echo("no frame has several takes: write takes: 4 on the board, a scene or a sentence")
    console = terminal.console()
    for one in frames:
        for line in lines(one):
            click.echo(terminal.line(line))
        draw(one, console)
    sheet = _sheet(found, frames)
    if sheet is not None:
        click.echo(f"sheet   {terminal.quoted(_shown(sheet))}")
    if any(len(one.takes) > 1 for one in frames):
        example = next(one.name for one in frames if len(one.takes) > 1)
        click.echo(
            f"choose  lorakit pick {terminal.quoted(found.document)} {terminal.quoted(str(example))} --take 2"
        )


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
