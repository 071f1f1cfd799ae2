"""Tests that run in a fork of this process: what they register with torch, or start in it, ends with them."""

from __future__ import annotations

import functools
import multiprocessing
import os
import traceback
from collections.abc import Callable
from typing import Any

import pytest


def alone(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What a function returns in a child of its own. Raises RuntimeError with the traceback of what it raises."""
    context = multiprocessing.get_context("fork")
    hears, tells = context.Pipe(duplex=False)

    def work() -> None:
        said: tuple[str, Any]
        try:
            said = "", function(*args, **kwargs)
        except BaseException:  # noqa: BLE001 - whatever it is, the parent tells it
            said = traceback.format_exc(), None
        tells.send(said)
        os._exit(0)  # none of the parent's own endings

    child = context.Process(target=work)
    child.start()
    tells.close()
    try:
        wrong, result = hears.recv()
    except EOFError:
        child.join()
        wrong, result = f"the child ended by itself: {child.exitcode}", None
    child.join()
    if wrong:
        raise RuntimeError(wrong)
    return result


def forked(test: Callable[..., None]) -> Callable[..., None]:
    """A test that is run in a child of its own; what it raises is told here."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        try:
            alone(test, *args, **kwargs)
        except RuntimeError as error:
            pytest.fail(str(error), pytrace=False)

    return pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")(run)
