"""`lorakit export`: what was written or made, in another tool's format."""

from __future__ import annotations

import click

from lorakit.cli.export.adapter import command as adapter
from lorakit.cli.export.board import command as board
from lorakit.cli.export.vistory import command as vistory
from lorakit.cli.export.workflow import command as workflow


@click.group("export")
def command() -> None:
    """Write an adapter, a story or a scene for another tool.

    \b
    lorakit export adapter loras/ink.safetensors          kohya's format, for A1111 and ComfyUI
    lorakit export board recipe.yaml --format srt         subtitles; vtt, csv, otio, fcpxml, pdf too
    lorakit export workflow recipe.yaml --scene meadow    a workflow for ComfyUI
    lorakit export vistory recipe.yaml                    frames for ViStoryBench's evaluator
    """  # noqa: D301 - click's mark of lines that stay as they are


command.add_command(adapter)
command.add_command(board)
command.add_command(vistory)
command.add_command(workflow)
