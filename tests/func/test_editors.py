"""Documents in an editor: what npm's yaml-language-server completes, explains and underlines.

npm install -g yaml-language-server
LORAKIT_YAML_LANGUAGE_SERVER=PROGRAM    where it is not on the PATH; it must be there then
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attack.commands import lorakit
from tests.support import language_server
from tests.support.language_server import Server
from tests.support.schema_places import places

ROOT = Path(__file__).parents[2]
BOARD = "storyboard: 1\nchain: {strength: 0.5}\nscenes: [{sentences: [A fox runs.]}]\n"
RECIPE = "recipe: 1\nsteps:\n  a: {kind: generate, prompts: [a fox], guidance_scale: 4}\n"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    program = language_server.found()
    if program is None:
        pytest.skip("there is no yaml-language-server here: npm install -g yaml-language-server")
    with Server(program, ROOT) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "schemas", tmp_path / "schemas")
    (tmp_path / "documents").mkdir()
    return tmp_path


def words(text: str) -> str:
    """Letters and digits alone: markdown has signs of its own."""
    return re.sub(r"[^a-z0-9]+", "", text.lower())


@pytest.mark.slow
def test_shipped_documents_are_right(server: Server) -> None:
    documents = [*ROOT.glob("recipes/*.yaml"), *ROOT.glob("storyboards/*.yaml")]
    assert documents
    assert [(d.name, said) for d in documents if (said := server.diagnostics(d))] == []


@pytest.mark.parametrize("kind", ["recipe", "storyboard"])
def test_every_key_is_completed_and_explained(server: Server, project: Path, kind: str) -> None:
    """At the top, in a step of each kind, in look, chain, video, characters, and all other places."""
    for number, place in enumerate(places(kind)):
        to_type = {key: told for key, told in place.keys.items() if key not in place.typed}
        opening = "\n".join(place.lines) + "\n"
        empty = project / "documents" / f"empty_{number}.yaml"
        empty.write_text(f"{opening}{place.indent}\n", "utf-8")
        server.open(empty)
        offered = server.completions(empty, len(place.lines), len(place.indent))
        assert {*to_type} <= {*offered}, opening
        full = project / "documents" / f"full_{number}.yaml"
        lines = [f"{place.indent}{key}: {told.value}\n" for key, told in to_type.items()]
        full.write_text(opening + "".join(lines), "utf-8")
        server.open(full)
        for line, key in enumerate((*place.typed, *to_type), len(place.lines) - len(place.typed)):
            said = server.hover(full, line, len(place.indent))
            told = place.keys[key].description
            assert told, key
            assert words(told) in words(said), f"{opening}{key}: {said}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (BOARD.replace("strength", "strenth"), "2: Property strenth is not allowed."),
        (BOARD.replace("0.5", "half"), "2: Incorrect type. Expected one of number, object, array."),
        (BOARD.replace("0.5", "1.5"), "2: Value is above the maximum of 1."),
        (RECIPE.replace("guidance", "guidence"), "3: Property guidence_scale is not allowed."),
        (RECIPE.replace("generate", "storyboard"), '3: Missing property "storyboard".'),
        (RECIPE.replace("kind: generate", "kind: draw"), "3: Value is not accepted."),
        ("recipe: 1\nsteps: {a: {kind: video, of: [b], fsp: 3}}\n", "2: Property fsp is not"),
    ],
)
def test_slips_are_underlined(server: Server, project: Path, text: str, says: str) -> None:
    kind = text.partition(":")[0]
    modeline = f"# yaml-language-server: $schema=../schemas/{kind}.schema.json "
    document = project / "documents" / "slip.yaml"
    document.write_text(modeline + text.replace(f"{kind}: 1", f"\n{kind}: 1", 1), "utf-8")
    said = [one.partition(":") for one in server.diagnostics(document)]
    lines = [f"{int(line) - 1}:{message}" for line, _, message in said]  # the modeline goes before
    assert any(line.startswith(says) for line in lines), lines


def check_modelines(server: Server, documents: list[Path]) -> None:
    """They lead to our schemas: what is there is right, and a key that is not known is told."""
    assert documents
    for document in documents:
        assert server.diagnostics(document) == []
        slip = document.with_name(f"slip_{document.name}")
        slip.write_text(document.read_text("utf-8") + "strenth: 1\n", "utf-8")
        (said,) = server.diagnostics(slip)
        assert said.endswith("Property strenth is not allowed.")


@pytest.mark.slow
@pytest.mark.parametrize("template", ["film", "text", "style"])
def test_modelines_resolve_in_a_project_of_init(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert lorakit("init", "--template", template).code == 0
    check_modelines(
        server, [*tmp_path.glob("recipes/*.yaml"), *tmp_path.glob("storyboards/*.yaml")]
    )


@pytest.mark.slow
def test_modelines_resolve_after_pip_install_and_schema_install(
    server: Server, tmp_path: Path
) -> None:
    """Out of a wheel, with no checkout about: it is unpacked as pip does, and goes before ours."""
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    plain = tmp_path / "plain"
    (plain / "boards").mkdir(parents=True)
    documents = {plain / "film.yaml": RECIPE, plain / "boards" / "fox.yaml": BOARD}
    for document, text in documents.items():
        document.write_text(text, "utf-8")

    def installed(code: str) -> str:
        first = f"import sys; sys.path.insert(0, {str(tmp_path / 'site')!r}); {code}"
        done = subprocess.run(
            [sys.executable, "-c", first, "schema", "--install"],
            cwd=plain,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout

    assert str(tmp_path) in installed("import lorakit; print(lorakit.__file__)")
    told = installed("from lorakit.cli import main; main()")
    advice = dict(re.findall(r"^  (\S+)\n    (# yaml-language-server: \S+)$", told, re.MULTILINE))
    for document, text in documents.items():
        name = document.relative_to(plain).as_posix()
        document.write_text(f"{advice[name]}\n{text}", "utf-8")
    check_modelines(server, list(documents))
