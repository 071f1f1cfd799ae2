"""A worker on a node as a run meets it: files go by content, what comes back is checked, losses are borne."""

from __future__ import annotations

import hashlib
import json
import queue
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lorakit.cluster import frames, node, remote, sent_amount
from lorakit.cluster.frames import pack, unpack
from lorakit.cluster.own_words import OwnWords
from lorakit.cluster.remote import RemoteWorker
from lorakit.cluster.sent_amount import SentAmount
from lorakit.execute.action_queue import ActionQueue
from lorakit.execute.channels import LocalProcess
from lorakit.execute.slots import Slot
from lorakit.execute.workers import Inbox, WorkerHandle
from lorakit.facts.machine import nodes
from lorakit.kinds.sheet import ASSEMBLY
from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.sheet import ContactSheetTask, SheetPicture, SheetRows
from lorakit.store.seen import digest_and_identity
from lorakit.ui.progress import WorkerShown
from lorakit.ui.words import worker_words
from tests.support.actions import frame_action
from tests.support.near_node import SEAT, NearLink, ToldLink

# a worker that assembles imports no torch: it is there sooner than one that the nursery makes
pytestmark = pytest.mark.usefixtures("real_starts")

SHEET = ContactSheetTask("Foxes", (SheetRows("one", (SheetPicture("a", "A fox."),)),))
NODE = {"event": "node", "name": "near"}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """A picture as a store has it."""
    drawn = tmp_path / "drawn.png"
    Image.effect_noise((64, 64), 40).save(drawn)
    digest = hashlib.sha256(drawn.read_bytes()).hexdigest()
    kept = tmp_path / "objects" / digest[:2] / digest[2:]
    kept.parent.mkdir(parents=True)
    drawn.replace(kept)
    return kept


class Heard:
    """A worker with what it has told; `until` waits for an event and returns its message."""

    def __init__(self, channel: Any, tmp_path: Path) -> None:
        self.inbox: Inbox = queue.Queue()
        self.worker = WorkerHandle(SEAT, channel)
        self.worker.begin(None, tmp_path / "run.log", self.inbox)

    def until(self, *events: str) -> Mapping[str, Any]:
        while True:
            _, message = self.inbox.get(timeout=60)
            if message["event"] in events:
                return message

    def draw(self, picture: Path, tmp_path: Path, name: str) -> Job[Any]:
        folders = [tmp_path / name / part for part in ("out", "keep", "logs")]
        folders[0].mkdir(parents=True)
        job = Job(name, "k", SHEET, {"a": str(picture)}, *folders)
        self.worker.open(ASSEMBLY)
        self.worker.submit(job)
        return job


@pytest.fixture
def ended() -> Iterator[list[Heard]]:
    """Workers that are ended when the test is."""
    workers: list[Heard] = []
    yield workers
    for one in workers:
        one.worker.end()


@pytest.mark.slow
@pytest.mark.parametrize("small", [False, True])
def test_a_node_gets_once_what_it_lacks_and_makes_the_bytes_of_a_worker_here(
    picture: Path,
    tmp_path: Path,
    ended: list[Heard],
    monkeypatch: pytest.MonkeyPatch,
    small: bool,
) -> None:
    """What is small goes there ahead of its job; the rest is asked for, and not where it is there."""
    if not small:
        monkeypatch.setattr(remote, "PIECE", 10)
    links = [NearLink(tmp_path / "node") for _ in range(2)]
    with (tmp_path / "run.log").open("ab") as log:
        channels = [LocalProcess(SEAT, log), *(RemoteWorker("assemble", link) for link in links)]
        ended += [Heard(channel, tmp_path) for channel in channels]
    sheets = []
    for worker, name in zip([*ended[:2], ended[1], ended[2]], "abcd", strict=True):
        worker.draw(picture, tmp_path, name)
        message = worker.until("ended")
        sheet = Path(message["outputs"]["sheet"])
        assert sheet.parent == tmp_path / name / "out"
        sheets.append(sheet.read_bytes())
    assert len(set(sheets)) == 1
    digest = picture.parent.name + picture.name
    # the second job's is there, and the second worker's, whose node keeps files in the same folder
    assert [link.wanted() for link in links] == [[] if small else [digest], []]
    assert [link.given for link in links] == [[digest], [digest] if small else []]


def test_of_a_large_folder_is_told_how_much_of_it_has_gone(
    tmp_path: Path, ended: list[Heard], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model's folder that the node has not got, in files, of which one is there already."""
    monkeypatch.setattr(sent_amount, "_WORTH_TELLING", 1)
    monkeypatch.setattr(frames, "PIECE", 1000)
    folder = tmp_path / "models" / "fox"
    folder.mkdir(parents=True)
    for name, size in {"a": 2000, "b": 1500, "c": 500}.items():
        (folder / name).write_bytes(name.encode() * size)
    reads = [(str(p), *digest_and_identity(p)) for p in sorted(folder.iterdir())]
    there = tmp_path / "node" / "blobs" / reads[2][1][:2] / reads[2][1][2:]
    there.parent.mkdir(parents=True)
    there.write_bytes((folder / "c").read_bytes())
    link = NearLink(tmp_path / "node")
    ended.append(Heard(RemoteWorker("assemble", link), tmp_path))
    ended[0].worker.open(ASSEMBLY, reads)
    told: list[Mapping[str, Any]] = []
    while not told or told[-1]["state"] != "sent":
        message = ended[0].until("state")
        told += [message] if message["state"] in ("sending", "sent") else []
    assert [(m.get("detail", ""), m["where"]) for m in told] == [
        ("1.0 kB of 3.5 kB", "near"),
        ("2.0 kB of 3.5 kB", "near"),
        ("3.0 kB of 3.5 kB", "near"),
        ("", "near"),
    ]
    shown = WorkerShown("sending", told[0]["detail"], seconds=75, where="near")
    assert (
        worker_words("render", shown, 0)
        == "render on near: sending 1.0 kB of 3.5 kB, 1 min 15 s left"
    )
    assert link.given == [reads[0][1]] * 2 + [reads[1][1]] * 2
    ended[0].until("state")  # the engine is loaded, from what went there


def test_the_time_that_is_left_goes_by_what_went() -> None:
    at = iter([10.0, 12.0])
    amount = SentAmount(lambda: next(at))
    amount.wants({"a": 300 << 20, "b": 100 << 20})
    told = amount.sent(100 << 20)
    assert told is not None
    assert (told["detail"], told["seconds"]) == ("105 MB of 419 MB", 6.0)
    assert amount.sent(1) is None  # nothing that is worth a line more
    assert amount.over("b") is None  # it has changed, and does not go
    assert amount.over("a") == {"event": "state", "state": "sent"}
    # little of it is not told of at all
    quiet = SentAmount(lambda: 0.0)
    quiet.wants({"c": 2000})
    assert (quiet.sent(1000), quiet.sent(1000), quiet.over("c")) == (None, None, None)


def test_with_shared_folders_nothing_is_sent(
    picture: Path, tmp_path: Path, ended: list[Heard]
) -> None:
    link = NearLink(tmp_path / "node", shared=True)
    ended.append(Heard(RemoteWorker("assemble", link), tmp_path))
    ended[0].draw(picture, tmp_path, "a")
    assert "error" not in ended[0].until("ended")
    assert link.wanted() == []
    assert link.given == []


def test_a_byte_that_flips_on_the_way_is_noticed_and_told(
    picture: Path, tmp_path: Path, ended: list[Heard]
) -> None:
    def flip(frame: bytes) -> bytes:
        message, body = unpack(frame)
        return pack(message, bytes(body[:-1]) + bytes([body[-1] ^ 1])) if body else frame

    ended.append(Heard(RemoteWorker("assemble", NearLink(tmp_path / "node", spoil=flip)), tmp_path))
    ended[0].draw(picture, tmp_path, "a")
    told = ended[0].until("ended")
    assert "damaged on its way to near" in told["error"]
    assert str(picture) in told["error"]
    assert not [p for p in (tmp_path / "node" / "blobs").rglob("*") if p.is_file()]
    assert not list((tmp_path / "node" / "tmp").glob("*/parts/*"))


def test_a_file_that_changed_since_the_plan_is_not_sent(
    picture: Path, tmp_path: Path, ended: list[Heard]
) -> None:
    ended.append(Heard(RemoteWorker("assemble", NearLink(tmp_path / "node")), tmp_path))
    picture.unlink()
    ended[0].draw(picture, tmp_path, "a")
    assert "has changed since the plan was made" in ended[0].until("ended")["error"]


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", ".", ""])
def test_a_node_writes_nothing_outside_of_a_jobs_folders(tmp_path: Path, name: str) -> None:
    (tmp_path / "job").mkdir()
    told = {"event": "file", "of": "out", "id": "a", "name": name, "first": True, "last": True}
    link = ToldLink(pack(told, b"bytes"))
    worker = RemoteWorker("assemble", link)
    folders = {part: str(tmp_path / "job" / part) for part in ("out", "keep", "logs")}
    worker.send({"do": "job", "id": "a", "inputs": {}, "reads": (), **folders})
    gone = list(worker.messages())
    assert gone == [{"event": "gone", "code": -9, "lost": gone[0]["lost"]}]
    assert f"outside of its folder: {name!r}" in gone[0]["lost"]
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\0\0\0\2[]",
        pack({"no": "event"}),
        pack({"event": "praise"}),
        pack({"event": "started", "id": "another's"}),
        pack({"event": "ended", "id": "another's"}),
        pack({"event": "gone"}),
        pack({"event": "node", "name": "near"}),
    ],
)
def test_what_makes_no_sense_is_a_loss_and_no_hang(frame: bytes) -> None:
    link = ToldLink(frame)
    (gone,) = RemoteWorker("assemble", link).messages()
    assert (gone["event"], gone["lost"].endswith("what it told makes no sense")) == ("gone", True)
    assert link.killed


@pytest.mark.parametrize(
    ("patched", "said"),
    [
        ("device_class", "the node near computes as cuda-sm90, and this plan is for"),
        ("numpy", "the node near has other versions: numpy 0.1 (planned for "),
    ],
)
def test_a_node_of_another_kind_is_not_used_and_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, patched: str, said: str
) -> None:
    if patched == "device_class":
        machine = replace(node.this_machine(), device_class="cuda-sm90")
        monkeypatch.setattr(node, "this_machine", lambda: machine)
    else:
        versions = {**nodes.environment(), patched: "0.1"}
        monkeypatch.setattr(node, "environment", lambda: versions)
    worker = Heard(RemoteWorker("assemble", NearLink(tmp_path / "node")), tmp_path)
    assert worker.until("broken", "state")["error"].startswith(said)
    assert worker.until("gone")["event"] == "gone"
    assert not worker.worker.alive


class Training(LocalProcess):
    """A worker process that does a job by what the test says; what it is told is read by it."""

    steps: queue.Queue[str] = queue.Queue()

    def __init__(self, seat: Any, log: Any) -> None:
        self._told: queue.Queue[Mapping[str, Any] | None] = queue.Queue()

    def send(self, message: Mapping[str, Any]) -> None:
        if message["do"] != "job":
            return
        keep, out = Path(message["keep"]), Path(message["out"])
        begun = sorted(p.name for p in keep.iterdir()) if keep.is_dir() else []
        self._told.put({"event": "progress", "id": "a", "done": 0, "total": 1, "figures": {"begun": begun}})  # fmt: skip

        def train() -> None:
            while (step := Training.steps.get()) != "done":
                keep.mkdir(exist_ok=True)
                for old in keep.iterdir():
                    old.unlink()
                draft = keep / "draft.tmp"  # as checkpoints are written
                draft.write_text(step)
                draft.replace(keep / step)
            (out / "adapter").write_text("weights")
            told = {"adapter": str(out / "adapter")}
            self._told.put({"event": "ended", "id": "a", "outputs": told})

        threading.Thread(target=train, daemon=True).start()

    def messages(self) -> Iterator[Mapping[str, Any]]:
        while (message := self._told.get()) is not None:
            yield message
        yield {"event": "gone", "code": 0}

    def close(self) -> None:
        self._told.put(None)

    def kill(self) -> None:
        self._told.put(None)


def test_checkpoints_come_back_while_a_job_goes_on_and_old_ones_go(
    tmp_path: Path, picture: Path, monkeypatch: pytest.MonkeyPatch, ended: list[Heard]
) -> None:
    monkeypatch.setattr(node, "LocalProcess", Training)
    monkeypatch.setattr(node, "_LOOKS", 0.02)
    link = NearLink(tmp_path / "node")
    ended.append(Heard(RemoteWorker("assemble", link), tmp_path))
    keep = tmp_path / "a" / "keep"
    keep.mkdir(parents=True)
    (keep / "step-1").write_text("step-1")  # of a worker that was lost
    ended[0].draw(picture, tmp_path, "a")
    assert ended[0].until("progress")["figures"] == {"begun": ["step-1"]}
    for step in ("step-2", "step-3"):
        Training.steps.put(step)
        while [p.name for p in keep.iterdir()] != [step]:
            assert ended[0].worker.jobs == {"a"}
            threading.Event().wait(0.01)
        assert (keep / step).read_text() == step
    Training.steps.put("done")
    assert Path(ended[0].until("ended")["outputs"]["adapter"]).read_text() == "weights"


class Naming(LocalProcess):
    """A worker process that names its folders and files wherever libraries do."""

    def __init__(self, seat: Any, log: Any) -> None:
        self._told: queue.Queue[Mapping[str, Any]] = queue.Queue()
        self._log = Path(log.name)

    def send(self, message: Mapping[str, Any]) -> None:
        if message["do"] != "job":
            return
        out, logs = Path(message["out"]), Path(message["logs"])
        named = f"at {message['inputs']['a']} and {out / 'x'}"
        self._log.write_text(f"{named}\nhalf of {out}")
        (out / "metrics.json").write_text(json.dumps({"reload_warning": named}))
        run = logs / "mlruns" / "0" / "meta.yaml"
        run.parent.mkdir(parents=True)
        run.write_text(f"artifact_location: {run.parent.as_uri()}\nname: {logs.parent.name}\n")
        self._told.put({"event": "note", "text": named})
        told = {"metrics": str(out / "metrics.json")}
        self._told.put({"event": "ended", "id": message["id"], "outputs": told})

    def messages(self) -> Iterator[Mapping[str, Any]]:
        while (message := self._told.get())["event"] != "gone":
            yield message
        yield message

    def close(self) -> None:
        self._told.put({"event": "gone", "code": 0})

    kill = close


def test_what_comes_back_names_the_runs_folders_and_not_the_nodes(
    tmp_path: Path, picture: Path, monkeypatch: pytest.MonkeyPatch, ended: list[Heard]
) -> None:
    monkeypatch.setattr(node, "LocalProcess", Naming)
    ended.append(Heard(RemoteWorker("assemble", NearLink(tmp_path / "node")), tmp_path))
    run = tmp_path / "a fox"
    job = ended[0].draw(picture, tmp_path, run.name)
    named = f"at {picture} and {run / 'out' / 'x'}"
    assert ended[0].until("note")["text"] == named
    outputs = ended[0].until("ended")["outputs"]
    assert json.loads(Path(outputs["metrics"]).read_text()) == {"reload_warning": named}
    folder = job.logs / "mlruns" / "0"
    meta = (folder / "meta.yaml").read_text()
    assert meta == f"artifact_location: {folder.as_uri()}\nname: a fox\n"
    ended[0].worker.end()
    assert (tmp_path / "run.log").read_text() == f"{named}\nhalf of {run / 'out'}"


@pytest.mark.parametrize(
    ("named", "uri"),
    [("/runs/a fox", "file:///runs/a%20fox/x"), (r"C:\runs\a", "file:///C:/runs/a/x")],
)
def test_a_uri_of_the_run_is_one_of_its_own_system(tmp_path: Path, named: str, uri: str) -> None:
    words = OwnWords(str)
    words.begin({tmp_path: named})
    assert words.as_told(f"{tmp_path.as_uri()}/x") == uri
    words.end({"out": tmp_path})
    assert words.as_told(str(tmp_path)) == str(tmp_path)


def test_a_worker_leaves_a_run_and_takes_another_on_and_leaves_nothing_when_it_ends(
    picture: Path, tmp_path: Path
) -> None:
    link = NearLink(tmp_path / "node")
    first = Heard(RemoteWorker("assemble", link), tmp_path)
    first.draw(picture, tmp_path, "a")
    first.until("ended")
    first.worker.jobs.clear()
    assert first.worker.leave()
    inbox: Inbox = queue.Queue()
    first.worker.begin(None, tmp_path / "second.log", inbox)
    first.inbox = inbox
    first.draw(picture, tmp_path, "b")
    assert "error" not in first.until("ended")
    first.worker.end()
    assert first.until("gone")["code"] == 0
    assert link.wait(10)
    assert not list((tmp_path / "node" / "tmp").iterdir())


def test_where_the_way_is_cut_another_does_the_work_until_that_was_too_often(
    picture: Path, tmp_path: Path
) -> None:
    action = frame_action("a", (), engine="e")
    slot = Slot("assemble", ActionQueue({"a": action}))
    slot.put("a")
    for tried in range(1, 12):
        link = NearLink(tmp_path / "node") if tried == 1 else None
        channel = RemoteWorker("assemble", link or ToldLink(pack({"event": "broken"})))
        worker = Heard(channel, tmp_path)
        slot.worker, slot.ready = worker.worker, True
        assert slot.take() is action
        worker.worker.jobs.add("a")
        if link is not None:
            worker.until("state")
            link.cut()
        gone = worker.until("gone")
        assert gone["lost"]
        lost = slot.lose(gone["lost"])
        assert slot.worker is None
        assert lost == ({} if tried < 11 else {"a": gone["lost"]})
    assert slot.given_up
    assert not slot.wants_a_worker
