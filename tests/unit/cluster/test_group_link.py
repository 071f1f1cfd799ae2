"""Several nodes that share a training: who is told what, who is heard, and what becomes of all where one is lost."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from typing import Any

import pytest

from lorakit.cluster import group_link
from lorakit.cluster.frames import Frame, pack, unpack
from lorakit.cluster.group_link import GroupLink
from lorakit.cluster.node_link import LinkLost


class Hand:
    """A `NodeLink` that a test speaks through."""

    shared = False

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.says: queue.Queue[Frame | Exception | None] = queue.Queue()
        self.killed = self.closed = False

    def send(self, *frames: Frame) -> None:
        self.sent += [unpack(frame)[0] for frame in frames]

    def frames(self) -> Iterator[Frame]:
        while (said := self.says.get(timeout=60)) is not None:
            if isinstance(said, Exception):
                raise said
            yield said

    def close(self) -> None:
        self.closed = True

    def wait(self, seconds: float) -> bool:
        return True

    def kill(self) -> None:
        self.killed = True
        self.says.put(None)


class Group:
    """Three nodes, with what the run hears of them."""

    def __init__(self) -> None:
        self.hands = [Hand() for _ in range(3)]
        self.given_back = 0
        self.link = GroupLink(self.hands, self._done)
        self._frames = self.link.frames()

    def _done(self) -> None:
        self.given_back += 1

    def say(self, rank: int, event: str, **more: Any) -> None:
        self.hands[rank].says.put(pack({"event": event, **more}))

    def next(self) -> dict[str, Any]:
        return unpack(next(self._frames))[0]


@pytest.fixture
def group() -> Iterator[Group]:
    made = Group()
    yield made
    made.link.kill()


def test_each_is_told_which_it_is_and_where_the_first_listens(group: Group) -> None:
    group.say(0, "node", name="a", address="10.0.0.1", port=4711)
    assert group.next()["name"] == "a"
    group.link.send(pack({"do": "begin"}), pack({"do": "job", "id": "x"}, b"more"))
    told = [hand.sent for hand in group.hands]
    assert [one[0] for one in told] == [{"do": "begin"}] * 3
    assert [one[1]["group"] for one in told] == [[n, 3, "10.0.0.1", 4711] for n in range(3)]


def test_the_first_is_heard_and_what_others_lack_is_sent_once(group: Group) -> None:
    for rank in (1, 2):
        group.say(rank, "wants", digest="d")
        group.say(rank, "progress", id="x", done=1, total=2)
        group.say(rank, "ended", id="x", outputs={})
    assert group.next() == {"event": "wants", "digest": "d"}
    group.say(0, "wants", digest="d")
    group.say(0, "ended", id="x", outputs={"adapter": "a"})
    assert group.next() == {"event": "ended", "id": "x", "outputs": {"adapter": "a"}}
    group.link.close()
    assert [hand.closed for hand in group.hands] == [True, False, False]


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_where_one_is_lost_all_are(group: Group, rank: int) -> None:
    group.hands[rank].says.put(LinkLost("the machine is gone"))
    with pytest.raises(LinkLost, match="the machine is gone"):
        group.next()
    assert all(hand.killed for hand in group.hands)
    assert group.given_back == 1


def test_an_error_that_a_loss_led_to_is_none_of_the_training(group: Group) -> None:
    """The first meets a closed connection before anybody hears that the other machine is gone."""
    group.say(0, "ended", id="x", error="Connection closed by peer")
    group.say(1, "ended", id="x", error="Connection closed by peer")
    group.say(2, "gone", code=-9)
    with pytest.raises(LinkLost, match="process 2 of the training ended by itself"):
        group.next()


@pytest.mark.parametrize("others", [0, 1, 2])
def test_an_error_of_the_training_is_told(
    group: Group, monkeypatch: pytest.MonkeyPatch, others: int
) -> None:
    """Once all have met it, or where nobody is lost in time."""
    monkeypatch.setattr(group_link, "_GRACE", 0.05 if others < 2 else 60.0)
    group.say(0, "ended", id="x", error="the loss is infinite")
    for rank in range(1, 1 + others):
        group.say(rank, "ended", id="x", error="the loss is infinite")
    assert group.next()["error"] == "the loss is infinite"
