"""Films that are signed: judged by the reader of the library that signs, with a certificate made here."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

from lorakit.diagnostics import InvalidDocument, render_text
from lorakit.facts.files import user_config
from lorakit.facts.files.signing import signing
from lorakit.plan.selection import Selection
from lorakit.plan.tasks.finished_film import SignedFilmTask
from lorakit.rendering.encodings import Encoding
from lorakit.rendering.ffmpeg_writer import FilmError
from lorakit.rendering.film import Shot, write_film
from lorakit.rendering.signed_film import write_signed_film
from lorakit.rendering.xmp import PNG_KEYWORD
from lorakit.session import load
from tests.support.runs import run

c2pa = pytest.importorskip("c2pa")
DRAWN = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, by: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """A certificate of the kind that C2PA asks of who signs (C2PA 2.x, 14.5.1), or its authority's."""
    authority = by is key
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COMMON_NAME, name),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Tests"),
        ]
    )
    now = dt.datetime.now(dt.UTC)
    usage = dict.fromkeys(
        (
            "key_encipherment",
            "content_commitment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if authority else issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                key_cert_sign=authority,
                crl_sign=authority,
                **usage,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
        )
    )
    if not authority:
        made = made.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
    return made.sign(by, hashes.SHA256())


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's config that names a certificate and its key."""
    home = tmp_path_factory.mktemp("signer")
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("An authority", root_key, x509.Name([]), root_key)
    own = _certificate("Anna", key, root.subject, root_key)
    pem = serialization.Encoding.PEM
    (home / "chain.pem").write_bytes(own.public_bytes(pem) + root.public_bytes(pem))
    plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (home / "key.pem").write_bytes(key.private_bytes(pem, *plain))
    told = {"certificate": str(home / "chain.pem"), "key": "key.pem"}
    (home / "config.yaml").write_text(yaml.safe_dump({"c2pa": told}))
    return home / "config.yaml"


def task(form: str, config: Path) -> SignedFilmTask:
    by = signing(config)
    assert by is not None
    return SignedFilmTask(
        form,  # type: ignore[arg-type]
        "The fox",
        "trainedAlgorithmicMedia",
        by.digest,
        by.algorithm,
        str(by.certificate),
        str(by.key),
    )


@pytest.mark.parametrize("form", ["mp4", "gif"])
def test_a_film_says_what_made_it_and_its_reader_believes_it(
    tmp_path: Path, config: Path, form: str
) -> None:
    Image.new("RGB", (64, 48), "navy").save(tmp_path / "a.png")
    plain, target = tmp_path / f"plain.{form}", tmp_path / f"film.{form}"
    list(write_film(plain, [Shot(tmp_path / "a.png", 6)], fps=24))
    list(write_signed_film(target, task(form, config), {"film": str(plain)}))
    with c2pa.Reader(str(target)) as reader:
        told = json.loads(reader.json())
    assert told["validation_state"] in ("Valid", "Trusted")
    manifest = told["manifests"][told["active_manifest"]]
    assert manifest["title"] == "The fox"
    assert manifest["signature_info"]["common_name"] == "Anna"
    (actions,) = (a for a in manifest["assertions"] if a["label"].startswith("c2pa.actions"))
    (created,) = actions["data"]["actions"]
    assert (created["action"], created["digitalSourceType"]) == ("c2pa.created", DRAWN)
    # whoever changes a byte of the pictures is found out
    data = bytearray(target.read_bytes())
    at = data.index(b"mdat") + 40 if form == "mp4" else len(plain.read_bytes()) // 2
    data[at] ^= 1
    (tmp_path / f"forged.{form}").write_bytes(data)
    with c2pa.Reader(str(tmp_path / f"forged.{form}")) as reader:
        assert json.loads(reader.json())["validation_state"] == "Invalid"


def test_of_a_sequence_each_picture_is_signed_and_is_what_it_was(
    tmp_path: Path, config: Path
) -> None:
    for name, colour in (("a", "navy"), ("b", "red")):
        Image.new("RGB", (64, 48), colour).save(tmp_path / f"{name}.png")
    list(
        write_film(
            tmp_path / "plain",
            [Shot(tmp_path / "a.png", 3), Shot(tmp_path / "b.png", 3)],
            fps=24,
            source_type="trainedAlgorithmicMedia",
            encoding=Encoding("png"),
        )
    )
    names = ("frame_000001", "frame_000004")
    plain = [tmp_path / "plain" / f"{name[6:]}.png" for name in names]
    made = replace(task("png", config), pictures=names)
    target = tmp_path / "out" / "frames"
    target.parent.mkdir()
    inputs = {name: str(path) for name, path in zip(names, plain, strict=True)}
    assert list(write_signed_film(target, made, inputs)) == [(0, 2), (1, 2), (2, 2)]
    assert made.outputs() == {name: f"frames/{name}.png" for name in names}
    for name, before in zip(names, plain, strict=True):
        signed = target / f"{name}.png"
        with c2pa.Reader(str(signed)) as reader:
            told = json.loads(reader.json())
        assert told["validation_state"] in ("Valid", "Trusted")
        with Image.open(signed) as after, Image.open(before) as own:
            assert after.tobytes() == own.tobytes()
            assert DRAWN in after.info[PNG_KEYWORD] == own.info[PNG_KEYWORD]
    data = bytearray(signed.read_bytes())
    data[data.index(b"IDAT") + 10] ^= 1
    (tmp_path / "forged.png").write_bytes(data)
    with c2pa.Reader(str(tmp_path / "forged.png")) as reader:
        assert json.loads(reader.json())["validation_state"] == "Invalid"
    # one that cannot be signed leaves none
    plain[1].write_bytes(b"no picture")
    with pytest.raises(FilmError, match="sign"):
        list(write_signed_film(target, made, inputs))
    assert not list(target.iterdir())


def test_a_sequence_is_signed_in_a_run_and_webm_cannot_be(
    tmp_path: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(user_config, "config_path", lambda: config)
    (tmp_path / ".lorakit").mkdir()
    for name, colour in (("a", "navy"), ("b", "red")):
        Image.new("RGB", (64, 48), colour).save(tmp_path / f"{name}.png")
    board = """storyboard: 1
scenes: [{sentences: [{text: A fox, image: a.png}, {text: An owl, image: b.png}]}]
video: {fps: 5, hold: 1, format: FORMAT}
"""
    (tmp_path / "board.yaml").write_text(board.replace("FORMAT", "png"))
    ran = run(tmp_path, "board.yaml")
    assert ran.code == 0, ran.errors
    pictures = sorted((ran.folder / "film/frames").iterdir())
    assert [one.name for one in pictures] == [f"{number:06d}.png" for number in range(1, 11)]
    for one in pictures:
        with c2pa.Reader(str(one)) as reader:
            assert json.loads(reader.json())["validation_state"] in ("Valid", "Trusted")
    assert ran.finished["films"] == [str(ran.folder / "film/frames")]
    assert run(tmp_path, "board.yaml").made() == []
    (tmp_path / "board.yaml").write_text(board.replace("FORMAT", "[mp4, webm]"))
    with pytest.raises(InvalidDocument) as caught:
        load("board.yaml").plan()
    text = render_text(caught.value.diagnostics)
    assert (
        "board.yaml:3:34: error[signing]: your config signs films (c2pa), and a signature has no"
        in text
    )
    assert "place in webm" in text
    assert "write format: mp4, mov, gif, webp or png" in text
    assert load("board.yaml").plan(Selection(preview=True)).to_make, "of mp4 alone"


def test_a_key_that_is_not_the_certificate_s_signs_nothing(tmp_path: Path, config: Path) -> None:
    Image.new("RGB", (64, 48), "navy").save(tmp_path / "a.png")
    list(write_film(tmp_path / "plain.mp4", [Shot(tmp_path / "a.png", 6)], fps=24))
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "other.pem").write_bytes(other)
    by = task("mp4", config)
    wrong = SignedFilmTask(
        *("mp4", by.name, by.source_type, by.certificate, by.algorithm, by.certificate_file),
        str(tmp_path / "other.pem"),
    )
    with pytest.raises(FilmError, match="sign"):
        list(write_signed_film(tmp_path / "film.mp4", wrong, {"film": str(tmp_path / "plain.mp4")}))
    assert not (tmp_path / "film.mp4").exists()


@pytest.mark.parametrize(
    ("told", "column", "said"),
    [
        ("{certificate: gone.pem, key: k.pem}", 21, "cannot be read: No such file"),
        ("{key: k.pem}", 7, "c2pa needs certificate"),
        ("{certificate: c.pem, key: k.pem, algorithm: rsa}", 51, "signs with none called rsa"),
        ("{certificate: c.pem, key: words.txt}", 33, "is not in PEM"),
        ("{certificat: c.pem}", 8, "c2pa has no key certificat"),
        ("{certificate: c.pem, key: k.pem, timestamps: now}", 52, "begins with http"),
    ],
)
def test_what_is_wrong_in_the_config_is_told_where_it_stands(
    tmp_path: Path, told: str, column: int, said: str
) -> None:
    for name in ("c.pem", "k.pem"):
        (tmp_path / name).write_text("-----BEGIN X-----\n")
    (tmp_path / "words.txt").write_text("a key")
    path = tmp_path / "config.yaml"
    path.write_text(f"c2pa: {told}\n")
    with pytest.raises(InvalidDocument) as caught:
        signing(path)
    text = render_text(caught.value.diagnostics)
    assert said in text
    assert f"config.yaml:1:{column}:" in text
    path.write_text("voices: {}\n")
    assert signing(path) is None
