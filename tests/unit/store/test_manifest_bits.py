"""No single bit of a manifest's file can be another without being noticed."""

from lorakit.store import manifests
from lorakit.store.manifests import Manifest, Output

KEY = "ab" * 32
ONE = Manifest(
    KEY, "frame", {"words": "caf\u00e9 \ud800", "share": 1.5}, {"start": "cd" * 32},
    {"picture": Output("ef" * 32, 3)}, 0.5, {"torch": "2.12.0"},
)  # fmt: skip


def test_every_bit_counts() -> None:
    text = manifests.to_bytes(ONE)
    assert manifests.read(text, KEY) == ONE
    for at in range(len(text)):
        for bit in range(8):
            damaged = bytearray(text)
            damaged[at] ^= 1 << bit
            assert manifests.read(bytes(damaged), KEY) is None, (at, bit)


def test_those_of_before_there_were_checks_are_read() -> None:
    text = manifests.to_bytes(ONE)
    assert manifests.read(text[: text.rindex(b', "check"')] + b"}\n", KEY) == ONE
