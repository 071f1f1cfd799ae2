"""Tests that run in a fork of this process: what they register with torch, or start in it, ends with them."""

from __future__ import annotations

import functools
import multiprocessing
import os
import traceback
from collections.abc import Callable
from typing import Any

import pytest


def forked(test: Callable[..., None]) -> Callable[..., None]:
    """A test that is run in a child of its own; what it raises is told here."""

    @functools.wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        context = multiprocessing.get_context("fork")
        hears, tells = context.Pipe(duplex=False)

        def work() -> None:
            said = ""
            try:
                test(*args, **kwargs)
            except BaseException:  # noqa: BLE001 - whatever it is, the parent tells it
                said = traceback.format_exc()
            tells.send(said)
            os._exit(0)  # none of the parent's own endings

        child = context.Process(target=work)
        child.start()
        tells.close()
        try:
            said = hears.recv()
        except EOFError:
            child.join()
            said = f"the child ended by itself: {child.exitcode}"
        child.join()
        if said:
            pytest.fail(said, pytrace=False)

    return pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")(run)
