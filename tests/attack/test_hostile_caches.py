"""Caches that are damaged, slow, gone or hostile: nothing wrong is used, and nobody waits for long."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lorakit.diagnostics import InvalidDocument, LorakitError
from lorakit.remote import looking, packs, protocols
from lorakit.remote.address import BadAddress, parse, redacted
from lorakit.remote.pace import Pace, Pulse, TooLong
from lorakit.remote.packs import BadPack
from lorakit.remote.sending import Sending
from lorakit.remote.settings import CacheSettings, cache_settings
from lorakit.remote.team_cache import TeamCache
from lorakit.store.manifests import Manifest, Output
from lorakit.store.store import Store
from tests.support import cache_servers


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(looking, "_lost", {})
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("LORAKIT_CACHE", raising=False)
    yield
    protocols.close()


def store_in(folder: Path) -> Store:
    store = Store(folder)
    store.prepare()
    return store


def result(store: Store, data: bytes, number: int = 0) -> Manifest:
    key = hashlib.sha256(b"%d" % number).hexdigest()
    made = Manifest(key, "frame", {"prompt": "a fox"}, {}, {"picture": store.put(data)}, 1.0, {})
    store.record(made)
    return made


def cache_at(url: str, timeout: float = 30.0, **more: object) -> TeamCache:
    settings = CacheSettings(parse(url, Path.cwd()), timeout=timeout, source="a test", **more)
    cache = TeamCache(settings)
    cache.look()
    return cache


def pushed(shared: Path, store: Store, data: bytes = b"a picture") -> Manifest:
    shared.mkdir(exist_ok=True)
    made = result(store, data)
    way = Sending(cache_at(str(shared)), store)
    way.send(made)
    way.finish()
    assert (way.sent, way.troubles) == (1, ())
    return made


def stored_at(shared: Path, output: Output) -> Path:
    return shared / "objects" / output.digest[:2] / output.digest[2:]


@pytest.mark.parametrize("harm", ["flipped", "cut short", "longer", "another's", "a folder"])
def test_an_object_that_is_not_whole_is_not_kept(harm: str, tmp_path: Path) -> None:
    shared, store = tmp_path / "shared", store_in(tmp_path / "mine")
    picture = pushed(shared, store).outputs["picture"]
    file = stored_at(shared, picture)
    data = file.read_bytes()
    match harm:
        case "flipped":
            file.write_bytes(bytes([data[0] ^ 1]) + data[1:])
        case "cut short":
            file.write_bytes(data[:-1])
        case "longer":
            file.write_bytes(data * 1000)
        case "another's":
            file.write_bytes(b"b picture")
        case _:
            file.unlink()
            file.mkdir()
    theirs, cache = store_in(tmp_path / "theirs"), cache_at(str(shared))
    key = hashlib.sha256(b"0").hexdigest()
    assert cache.manifest(key) is not None
    assert cache.fetch([picture], theirs).missing == {picture.digest}
    assert not theirs.has(picture)
    assert not [p for p in theirs.objects.rglob("*") if p.is_file()]
    assert not cache.has(picture)
    assert cache.troubles


def test_a_damaged_object_is_replaced_by_whoever_makes_it(tmp_path: Path) -> None:
    shared, store = tmp_path / "shared", store_in(tmp_path / "mine")
    made = pushed(shared, store)
    picture = made.outputs["picture"]
    stored_at(shared, picture).write_bytes(b"c picture")
    theirs, cache = store_in(tmp_path / "theirs"), cache_at(str(shared))
    cache.manifest(made.key)
    cache.fetch([picture], theirs)
    result(theirs, b"a picture")
    way = Sending(cache, theirs)
    way.send(made)
    way.finish()
    assert stored_at(shared, picture).read_bytes() == b"a picture"


def pack_of(lines: bytes, packed: bytes | None = None) -> tuple[str, bytes]:
    data = gzip.compress(lines) if packed is None else packed
    return f"1764238080-{hashlib.sha256(data).hexdigest()}.gz", data


@pytest.mark.parametrize(
    "lines",
    [
        b"../../../etc/passwd 1764238080 {}\n",
        b"\xff" * 200,
        b"0" * 64 + b" 17642380xx {}\n",
        b"\n",
    ],
)
def test_a_pack_that_is_none_offers_nothing(lines: bytes, tmp_path: Path) -> None:
    name, data = pack_of(lines)
    with pytest.raises(BadPack):
        packs.read(name, data)
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / name).write_bytes(data)
    cache = cache_at(str(tmp_path))
    assert not list(cache.keys)
    assert cache.troubles


def test_a_pack_is_unpacked_within_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packs, "_MOST_TEXT", 1_000_000)
    name, data = pack_of(b"0" * 50_000_000)
    assert len(data) < 100_000
    with pytest.raises(BadPack, match="more than"):
        packs.read(name, data)


def test_a_manifest_for_another_key_or_with_a_path_is_none() -> None:
    key, other = "a" * 64, "b" * 64
    whole = Manifest(other, "frame", {}, {}, {"picture": Output("c" * 64, 1)}, 1.0, {})
    line = packs.entry(whole, 1).text
    assert packs.PackEntry(1, line).manifest(other) == whole
    assert packs.PackEntry(1, line).manifest(key) is None
    assert packs.PackEntry(1, line.replace(b"c" * 64, b"../" * 21 + b"/")).manifest(other) is None


def test_more_than_the_disk_has_room_for_is_not_fetched(tmp_path: Path) -> None:
    shared, store = tmp_path / "shared", store_in(tmp_path / "mine")
    shared.mkdir()
    huge = Output("d" * 64, 1 << 60)
    made = Manifest("e" * 64, "frame", {}, {}, {"picture": huge}, 1.0, {})
    name, data = packs.write({made.key: packs.entry(made, 1)}, 1_764_238_080)
    (shared / "packs").mkdir()
    (shared / "packs" / name).write_bytes(data)
    cache = cache_at(str(shared))
    assert cache.manifest(made.key) == made
    assert cache.fetch([huge], store).missing == {huge.digest}
    assert "the disk has" in cache.lost
    assert cache.manifest(made.key) is None


def test_bytes_are_counted() -> None:
    pace = Pace(Pulse(10.0), 5)
    pace.count(5)
    with pytest.raises(TooLong):
        pace.count(1)
    with pytest.raises(TooLong):
        Pace(Pulse(10.0), 5).expect(6)


def test_a_server_that_never_answers_costs_its_time_out_once(tmp_path: Path) -> None:
    with cache_servers.deaf() as port:
        began = time.monotonic()
        cache = cache_at(f"http://127.0.0.1:{port}/lorakit", timeout=0.5)
        assert time.monotonic() - began < 20  # with what a busy machine takes to import
        assert "no answer" in cache.lost
        assert cache.manifest("a" * 64) is None


def web_of(
    shared: Path, answer: Callable[[http.server.BaseHTTPRequestHandler, bytes], None]
) -> type:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            file = shared / self.path.lstrip("/")
            if file.is_file():
                answer(self, file.read_bytes())
            else:
                self.send_error(404)

        def log_message(self, *_: object) -> None: ...

    return Handler


def whole(handler: http.server.BaseHTTPRequestHandler, data: bytes) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def test_a_connection_that_is_cut_leaves_nothing_half(tmp_path: Path) -> None:
    shared, store = tmp_path / "shared", store_in(tmp_path / "mine")
    made = pushed(shared, store, b"p" * 100_000)

    def cut(handler: http.server.BaseHTTPRequestHandler, data: bytes) -> None:
        if "objects" in handler.path:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data[:1000])
            handler.close_connection = True
        else:
            whole(handler, data)

    with cache_servers.serving(web_of(shared, cut)) as url:
        theirs, cache = store_in(tmp_path / "theirs"), cache_at(url)
        assert cache.manifest(made.key) == made
        assert cache.fetch(made.outputs.values(), theirs).missing
        assert not [p for p in theirs.objects.rglob("*") if p.is_file()]
        assert "did not come" in cache.troubles[0]
        protocols.close()


def test_a_redirect_is_followed_and_takes_no_token_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, store = tmp_path / "shared", store_in(tmp_path / "mine")
    made = pushed(shared, store)
    monkeypatch.setenv("LORAKIT_CACHE_TOKEN", "a secret")
    seen: list[tuple[str, str | None]] = []

    def other(handler: http.server.BaseHTTPRequestHandler, data: bytes) -> None:
        seen.append(("other", handler.headers.get("Authorization")))
        whole(handler, data)

    with cache_servers.serving(web_of(shared, other)) as there:

        class Moved(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append(("first", self.headers.get("Authorization")))
                self.send_response(302)
                self.send_header("Location", there.replace("127.0.0.1", "localhost") + self.path)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        with cache_servers.serving(Moved) as here:
            cache = cache_at(here)
            assert cache.manifest(made.key) == made, cache.troubles
            protocols.close()
    assert {token for who, token in seen if who == "first"} == {"Bearer a secret"}
    assert {token for who, token in seen if who == "other"} == {None}


def test_a_cache_that_may_not_be_written_keeps_results_here(tmp_path: Path) -> None:
    shared, store = tmp_path / "shared", store_in(tmp_path / "mine")
    shared.mkdir()
    (shared / "objects").write_text("a file where a folder belongs")
    cache = cache_at(str(shared))
    way = Sending(cache, store)
    way.send(result(store, b"a picture"))
    way.finish()
    assert way.sent == 0
    (trouble,) = way.troubles
    assert "could not be written" in trouble
    assert "results stay here" in trouble


@pytest.mark.parametrize(
    "address",
    [
        "s3://key:secret@bucket/x",
        "https://user:secret@host/x",
        "https://user@host/x",
        "https://host/x?sig=secret",
        "sftp://me:secret@host/x",
        "s3://bucket/a/../../b",
        "https://host/%2e%2e/x",
        "ftp://host/x",
        "simplecache::s3://bucket/x",
        "s3://",
        "file://host/x",
        "",
    ],
)
def test_addresses_that_are_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(BadAddress) as error:
        parse(address, tmp_path)
    assert "secret" not in str(error.value).replace("may be secret", "")


def test_what_libraries_say_is_shown_without_secrets() -> None:
    told = redacted("GET https://me:pass@host/x?X-Amz-Signature=abc&y=1 failed")
    assert "pass" not in told
    assert "abc" not in told


def test_a_project_s_file_is_read_from_until_the_user_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lorakit.yaml").write_text("project: 1\ncache: {url: shared, timeout: 3}\n")
    found = cache_settings(tmp_path)
    assert found is not None
    assert not found.writable
    assert "LORAKIT_CACHE" in found.why_read
    monkeypatch.setenv("LORAKIT_CACHE", str(tmp_path / "shared"))
    named = cache_settings(tmp_path)
    assert named is not None
    assert named.writable
    assert named.timeout == 3
    monkeypatch.setenv("LORAKIT_CACHE", "off")
    assert cache_settings(tmp_path) is None
    monkeypatch.setenv("LORAKIT_CACHE", "s3://a:b@bucket/x")
    with pytest.raises(LorakitError, match="LORAKIT_CACHE is no address"):
        cache_settings(tmp_path)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("project: 1\ncache: s3://a:b@bucket/x\n", "lorakit.yaml:2:8: error[bad-cache]"),
        ("project: 1\ncache: {url: x, mode: write}\n", "lorakit.yaml:2:23: error"),
        ("project: 1\ncahce: x\n", "lorakit.yaml:2:1: error[unknown-key]"),
    ],
)
def test_what_is_wrong_with_a_project_s_file_is_told_where_it_stands(
    text: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lorakit.yaml").write_text(text)
    with pytest.raises(InvalidDocument) as error:
        cache_settings(tmp_path)
    assert str(error.value).startswith(line)


def test_a_host_that_is_not_known_is_not_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "served").mkdir()
    user = tmp_path / "user"
    with cache_servers.sftp(tmp_path / "served", user, monkeypatch, known=False) as url:
        cache = cache_at(url)
        assert "is not known" in cache.lost
        assert not list(cache.keys)


@pytest.mark.parametrize(
    ("accept", "then", "why"),
    [
        ("any", {"torch": "1", "gpu": "A100"}, ""),
        ("same-gpu", {"torch": "1", "gpu": "H100"}, ""),
        ("same-gpu", {"torch": "2", "gpu": "A100"}, "gpu A100 -> H100"),
        ("same-versions", {"torch": "2", "gpu": "H100"}, ""),
        ("same-versions", {"torch": "1", "gpu": "H100"}, "torch 1 -> 2"),
        ("same-versions", {}, "torch unknown -> 2, gpu unknown -> H100"),
    ],
)
def test_whose_results_are_taken(accept: str, then: dict[str, str], why: str) -> None:
    from lorakit.remote.policy import refusal

    assert refusal(accept, then, {"torch": "2", "gpu": "H100"}, ["torch"]) == why
