"""From paths to a project: every file read once, everything wrong told in one go."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, NoReturn

from lorakit.diagnostics import InvalidDocument, in_order
from lorakit.language import projects
from lorakit.language.boards import Boards, checked, is_board
from lorakit.language.picks import decided
from lorakit.language.recipe import build_recipe, merge, settings, sweeps
from lorakit.language.recipe.board_adapters import board_adapters
from lorakit.language.recipe.checks import RECIPE_CHECKS
from lorakit.language.recipe.documents import Recipe, StoryboardStep
from lorakit.language.recipe.folders import folder_name
from lorakit.language.recipe.paths import Paths
from lorakit.language.recipe.project import Project
from lorakit.language.story.decisions import board_of
from lorakit.language.trees import Trees
from lorakit.language.uncollected import uncollected
from lorakit.language.yaml import access, schemas, validation
from lorakit.language.yaml.findings import Findings, Unreadable
from lorakit.language.yaml.reader import FolderReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lorakit.language.yaml.nodes import Node
    from lorakit.language.yaml.reader import Reader

Kind = Literal["recipe", "storyboard"]
_TOP_KEY = re.compile(
    r"""^(?:\{\s*)?["']?(recipe|storyboard|scenes|steps|extends|characters|models|picks)["']?\s*:""",
    re.MULTILINE,
)
_HEAD = 65_536
_OURS = ("recipe", "storyboard", "steps", "scenes", "extends")


def document_kind(path: Path, reader: Reader | None = None) -> Kind | None:
    """Whether a YAML file is a recipe, a storyboard, or none of ours; a glance, not a reading.

    It sees top-level keys as text, so that a broken document is still known for what it means to be.
    """
    keys = _top_keys(path, reader or FolderReader())
    if "recipe" in keys:
        return "recipe"
    if "storyboard" in keys:
        return "storyboard"
    if "extends" in keys and keys & {"steps", "models"}:
        return "recipe"
    return "storyboard" if {"scenes", "characters"} <= keys else None


def is_picks(path: Path, reader: Reader | None = None) -> bool:
    """Whether a YAML file means to hold decisions on a board; a glance."""
    return "picks" in _top_keys(path, reader or FolderReader())


def _top_keys(path: Path, reader: Reader) -> set[str]:
    try:
        head = reader.read_bytes(path)[:_HEAD].decode("utf-8", "replace")
    except OSError:
        return set()
    return {match[1] for match in _TOP_KEY.finditer(head.removeprefix("\ufeff"))}


def load(
    path: Path,
    *,
    settings: Sequence[str] = (),
    profile: str | None = None,
    reader: Reader | None = None,
    roots: Mapping[str, Path] | None = None,
) -> Project:
    """Read a recipe, or a storyboard alone, with all that it leads to.

    `settings` are `path=value` texts laid over the document, `profile` is one of the recipe's, `roots` are
    the user's named folders. Raises InvalidDocument with every error of every file; what is only warned of
    stands in the project.
    """
    return load_with_trees(
        path, settings=settings, profile=profile, reader=reader, roots=roots
    ).project


class Loaded(NamedTuple):
    """A project with the trees that it was built of: `root` after `extends`, boards by their files."""

    project: Project
    root: Node
    boards: Mapping[Path, Node]


def load_with_trees(
    path: Path,
    *,
    settings: Sequence[str] = (),
    profile: str | None = None,
    reader: Reader | None = None,
    roots: Mapping[str, Path] | None = None,
) -> Loaded:
    """What `load` reads, with the trees: for who compares documents value by value."""
    loader = _Loader(reader or FolderReader(), {} if roots is None else roots)
    with uncollected():
        return loader.loaded(Path(path), settings, profile)


def merged(
    path: Path,
    *,
    settings: Sequence[str] = (),
    profile: str | None = None,
    reader: Reader | None = None,
    roots: Mapping[str, Path] | None = None,
) -> Node:
    """A document as `load` reads it, after `extends`, profile and settings: nodes that know where they stand.

    Raises InvalidDocument.
    """
    return load_with_trees(
        path, settings=settings, profile=profile, reader=reader, roots=roots
    ).root


class _Loader:
    """One call of `load`: what was read, and what was found in it."""

    def __init__(self, reader: Reader, roots: Mapping[str, Path]) -> None:
        self._reader = reader
        self._roots = roots
        self._findings = Findings()
        self._trees = Trees(reader, self._findings)

    def loaded(self, path: Path, given: Sequence[str], profile: str | None) -> Loaded:
        """Read a document and all that it leads to. Raises InvalidDocument."""
        try:
            document = self._reader.resolve(path)
            root = self._trees.tree(document, path)
            self._check_that_it_is_ours(root)
            folders = projects.folders_of(self._reader, path)
            paths = Paths(self._reader, folders.root, self._roots)
            read = self._lone_board if is_board(root) else self._recipe
            recipe, root = read(root, document, paths, given, profile)
        except Unreadable:
            raise InvalidDocument(in_order(self._findings.all)) from None
        diagnostics = in_order(self._findings.all)
        if self._findings:
            raise InvalidDocument(diagnostics)
        project = Project(*folders, recipe, diagnostics, self._trees.files, self._trees.lines)
        boards = {board.path for board in recipe.boards}
        return Loaded(project, root, {path: self._trees.tree(path) for path in boards})

    def _check_that_it_is_ours(self, root: Node) -> None:
        """Refuse a file that says nothing of what it is: a list of complaints would help nobody."""
        if isinstance(root.value, dict) and not root.value.keys().isdisjoint(_OURS):
            return
        board = board_of(root.source.path)
        if board is not None and isinstance(root.value, dict) and "picks" in root.value:
            there = self._reader.is_file(board)
            self._findings.error(
                "wrong-document",
                f"these are decisions on {board.name}, which {'is' if there else 'is not'} beside them",
                root,
                f"name {board.name}" if there else "rename the file with its board, or remove it",
            )
            raise Unreadable
        self._findings.error(
            "wrong-document",
            "this is neither a recipe nor a storyboard",
            root,
            "a recipe begins with recipe: 1 and has steps:",
            "a storyboard begins with storyboard: 1 and has scenes:",
        )
        raise Unreadable

    def _recipe(
        self,
        root: Node,
        document: Path,
        paths: Paths,
        given: Sequence[str],
        profile: str | None,
    ) -> tuple[Recipe, Node]:
        findings = self._findings
        root = self._with_bases(root, document, paths)
        self._check_profiles(root, profile)
        if profile is not None:
            root = merge.with_profile(root, profile, findings)
        root = self._with_settings(root, document, given)
        validation.check(root, schemas.RECIPE, findings, "a recipe")
        swept = sweeps.expanded(root, findings)
        boards = Boards(self._trees, paths, findings).of_steps(swept)
        recipe = build_recipe.recipe(swept, document, paths, boards, findings)
        for check in RECIPE_CHECKS:
            check(recipe, swept.root, findings)
        return recipe, root

    def _lone_board(
        self,
        root: Node,
        document: Path,
        paths: Paths,
        given: Sequence[str],
        profile: str | None,
    ) -> tuple[Recipe, Node]:
        """A storyboard alone is a recipe of one step."""
        root = self._with_settings(root, document, given)
        if profile is not None:
            self._findings.error(
                "unknown-profile",
                f"a storyboard has no profiles, so none called {profile}",
                None,
                "leave out --profile, or name a recipe that draws the storyboard",
            )
        board = checked(root, document, paths, self._findings)
        board = decided(board, self._trees, paths.root, self._findings)
        model = build_recipe.shipped_model(build_recipe.STUDIO, root.place)
        step = StoryboardStep("film", root.place, model=model.name, adapters=(), board=board)
        recipe = Recipe(
            path=document,
            name=folder_name(document.stem),
            seed=build_recipe.default_seed(),
            models={model.name: model},
            datasets={},
            adapters=board_adapters([board]),
            steps={step.name: step},
            place=root.place,
        )
        return recipe, root

    def _with_settings(self, root: Node, document: Path, given: Sequence[str]) -> Node:
        if not given:
            return root
        words = settings.as_source(given, document)
        self._trees.met(words)
        return settings.applied(root, words, self._findings)

    def _with_bases(self, root: Node, document: Path, paths: Paths) -> Node:
        """A recipe merged over all that it extends; raises Unreadable where a part of that is missing."""
        line, ring = [root], [document]
        while (link := merge.base_link(line[-1])) is not None:
            path = merge.base_path(link, ring, paths, self._findings)
            base = self._base(path, link) if path is not None else None
            if path is None or base is None:
                self._check_a_part(merge.merged_line(line))
            else:
                line.append(base)
                ring.append(path)
        return merge.merged_line(line)

    def _base(self, path: Path, link: Node) -> Node | None:
        try:
            root = self._trees.tree(path)
        except Unreadable:
            return None
        if is_board(root):
            self._findings.error(
                "wrong-document",
                "this is a storyboard; a recipe extends a recipe",
                link,
                f"draw it by a step: film: {{kind: storyboard, storyboard: {link.value}}}",
            )
            return None
        if not isinstance(root.value, dict):
            validation.check(root, schemas.RECIPE, self._findings, "a recipe")
            return None
        return root

    def _check_a_part(self, root: Node) -> NoReturn:
        """A recipe whose base is missing: what is wrong with its own values, not what it lacks."""
        before = len(self._findings.all)
        validation.check(root, schemas.RECIPE, self._findings, "a recipe")
        own = [finding for finding in self._findings.all[before:] if finding.code != "missing-key"]
        self._findings.all[before:] = own
        raise Unreadable

    def _check_profiles(self, root: Node, chosen: str | None) -> None:
        """Hold every profile against the schema, so that a slip in one is found before it is used."""
        for name, over in access.mapping(root, "profiles").items():
            if name != chosen and isinstance(over.value, dict):
                both = merge.merged(root, over)
                validation.check(both, schemas.RECIPE, self._findings, "a recipe")
