"""`lorakit watch` as a user has it: save, look, break, mend, save again before it is through, Ctrl-C."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.boards import board_text, sentences, write_project
from tests.support.browser import opened
from tests.support.runs import environment, quick_command
from tests.support.runs import lorakit as type_in

for library in ("watchfiles", "starlette", "uvicorn"):
    pytest.importorskip(library, reason="needs pip install 'lorakit[watch]'")

PATIENCE = 240.0


class Watching:
    """A watch that goes on, and what it tells."""

    def __init__(self, home: Path, *words: str) -> None:
        self.process = subprocess.Popen(
            quick_command("watch", *words, "--json", "--no-open"),
            cwd=home,
            env=environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[Any] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self.until("watching")["url"]

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._lines.put(json.loads(line))

    def until_any(self) -> Any:
        """The next thing told."""
        return self._lines.get(timeout=PATIENCE)

    def until(self, kind: str, **values: object) -> Any:
        """The next thing told of this kind with these values."""
        while True:
            told = self.until_any()
            if told["type"] == kind and values.items() <= told.items():
                return told

    def text(self) -> str:
        with urllib.request.urlopen(self.url) as answer:
            return answer.read().decode()

    def end(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.close()

    def close(self) -> int:
        """Its exit code; nothing of it stays open."""
        code = self.process.wait(60)
        self._reader.join(10)
        return code


@pytest.fixture
def start(home: Path) -> Iterator[Callable[..., Watching]]:
    begun: list[Watching] = []

    def begin(*words: str) -> Watching:
        begun.append(Watching(home, *words))
        return begun[-1]

    yield begin
    for watching in begun:
        if watching.process.poll() is None:
            watching.process.kill()
        watching.close()


def save(file: Path, text: str) -> None:
    """As editors do: a new file, renamed into place."""
    new = file.with_name(f".{file.name}.tmp")
    new.write_text(text)
    new.replace(file)


@pytest.mark.slow
def test_saved_broken_mended_and_saved_again_before_it_is_through(
    home: Path, start: Callable[..., Watching]
) -> None:
    board = board_text([("one", sentences(1, 2))], steps=2, video="")
    write_project(home, board)
    watching = start("recipe.yaml")
    assert watching.until("run-finished")["made"] == 3  # with the sheet
    watching.until("waiting")
    save(home / "board.yaml", board.replace("an owl", "a <robot>"))
    assert watching.until("run-finished")["made"]
    watching.until("waiting")
    assert "a &lt;robot&gt;" in watching.text()

    save(home / "board.yaml", board.replace("strength:", "strenght:"))
    (finding,) = watching.until("invalid")["findings"]
    line = board.splitlines().index("chain: {from: previous, strength: 0.5}") + 1
    assert (finding["code"], finding["file"], finding["line"]) == (
        "unknown-key",
        "board.yaml",
        line,
    )
    text = watching.text()
    assert f"board.yaml:{line}:" in text
    assert "a &lt;robot&gt;" in text  # the last good pictures stay

    (home / "board.yaml").unlink()
    assert watching.until("invalid")["findings"]
    save(home / "board.yaml", board)
    assert watching.until("run-finished")["ending"] == "done"
    watching.until("waiting")
    assert "unknown-key" not in watching.text()

    slow = board_text([("one", sentences(2, 4))], steps=400, chain="{from: noise}", video="")
    save(home / "board.yaml", slow)
    watching.until("action-progress")
    save(home / "board.yaml", board)
    assert watching.until("run-finished")["ending"] == "interrupted"
    assert watching.until("waiting")["anew"] is True
    loading = 0
    while (told := watching.until_any())["type"] != "run-finished":
        loading += told["type"] == "worker" and told["state"] == "loading"
    assert (told["ending"], loading) == ("done", 0)
    watching.until("waiting")

    began = time.monotonic()
    assert watching.end() == 0
    assert time.monotonic() - began < 30
    assert not list((home / ".lorakit").rglob("*.tmp"))


def _until(page: Any, expression: str) -> None:
    """Wait until a page says yes; playwright's own waiting is refused by the page's policy."""
    alarm = time.monotonic() + 60
    while not page.evaluate(expression):
        assert time.monotonic() < alarm, expression
        page.wait_for_timeout(50)


@pytest.mark.slow
def test_a_page_follows_in_the_browser(
    home: Path, start: Callable[..., Watching], tmp_path: Path
) -> None:
    board = board_text([("one", sentences(1, 2))], steps=2, video="")
    write_project(home, board)
    watching = start("recipe.yaml")
    watching.until("waiting")
    with opened(home, tmp_path / "profile", url=watching.url) as seen:
        page = seen.page
        _until(page, "document.querySelectorAll('main .frame img').length === 2")
        first = page.eval_on_selector_all("main .frame img", "all => all.map((one) => one.src)")
        save(home / "board.yaml", board.replace("an owl", "a robot"))
        watching.until("waiting")
        _until(
            page,
            "[...document.querySelectorAll('main .says')].some((p) => p.textContent.includes('a robot'))",
        )
        _until(
            page,
            "[...document.querySelectorAll('main .frame img')].every((one) => one.naturalWidth)",
        )
        then = page.eval_on_selector_all("main .frame img", "all => all.map((one) => one.src)")
        assert set(first).isdisjoint(then)

        save(home / "board.yaml", board.replace("steps:", "stepz:"))
        watching.until("invalid")
        page.wait_for_selector(".finding .place")
        assert "board.yaml:2:" in page.inner_text(".finding .place")
        assert page.inner_text("#live") == "1 error to mend; the pictures are from before"
        assert page.locator("main .frame img").count() == 2
        assert seen.axe() == []

        save(home / "board.yaml", board)
        watching.until("waiting")
        _until(page, "document.querySelector('.finding') === null")
        assert not [error for error in seen.errors if "403" in error or "Uncaught" in error]
        assert all(asked.startswith((watching.url, "data:", "blob:")) for asked in seen.requests)
        assert watching.end() == 0
        _until(page, "document.querySelector('#live').textContent === 'lorakit watch has ended'")


@pytest.mark.slow
def test_a_page_of_another_origin_reaches_nothing(
    home: Path, start: Callable[..., Watching], tmp_path: Path
) -> None:
    write_project(home, board_text([("one", sentences(1, 1))], steps=2, video=""))
    watching = start("recipe.yaml")
    watching.until("waiting")
    other = tmp_path / "other.html"
    other.write_text("<!doctype html><title>other</title>")
    picture = f"{watching.url}test/001/film/frames_scene_1/frame_001.png"
    with opened(other, tmp_path / "profile") as seen:
        told = seen.page.evaluate(
            """async ([url, picture]) => {
              const asked = await fetch(url).then(() => "answered", () => "refused");
              const blind = await fetch(url, { mode: "no-cors" }).then((a) => a.type, () => "refused");
              const image = await new Promise((done) => {
                const one = new Image();
                one.onload = () => done("shown");
                one.onerror = () => done("refused");
                one.src = picture;
              });
              const events = await new Promise((done) => {
                const one = new EventSource(url + "events");
                one.onmessage = one.onopen = () => done("answered");
                one.onerror = () => done("refused");
              });
              return [asked, blind, image, events];
            }""",
            [watching.url, picture],
        )
    assert told == ["refused", "refused", "refused", "refused"]
    with urllib.request.urlopen(picture) as answer:  # it is there, for who may have it
        assert answer.read(4) == b"\x89PNG"


def test_a_document_that_is_not_there_is_told_at_once(home: Path) -> None:
    said = type_in(home, "watch", "nowhere.yaml", "--no-open")
    assert said.returncode == 3
    assert "nowhere.yaml" in said.stderr
