"""`lorakit mcp`: this project for agents, over the Model Context Protocol."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import click

from lorakit.cli import outcome
from lorakit.cli.mcp.inside import HOST
from lorakit.diagnostics import LorakitError


@click.command("mcp")
@click.option(
    "--http",
    "port",
    type=click.IntRange(0, 65535),
    metavar="PORT",
    help="Serve on this machine's own address in place of standard input; 0 takes a free port.",
)
@click.option(
    "--project",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="FOLDER",
    help="The project, for a program that starts lorakit elsewhere; by default the working directory's.",
)
def command(port: int | None, project: Path | None) -> int:
    """Let an agent validate, plan, run, compare and look at frames, in this project and nowhere else.

    Agents start it themselves and speak to its standard input and output.
    """
    if project is not None:
        os.chdir(project)
    try:
        from lorakit.cli.mcp.server import serve
    except ImportError as error:
        raise LorakitError(
            "lorakit mcp needs the Python SDK of MCP: pip install 'lorakit[mcp]'"
        ) from error
    serve(None if port is None else _free(port))
    return outcome.DONE


def _free(port: int) -> int:
    """A port that nobody listens on. Raises LorakitError."""
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, port))
        except OSError as error:
            raise LorakitError(
                f"{HOST}:{port} cannot be served on: {(error.strerror or str(error)).lower()}; "
                "name another port, or 0 for any that is free"
            ) from error
        return int(tried.getsockname()[1])
