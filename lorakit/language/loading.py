"""From paths to a project: every file read once, everything wrong told in one go."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lorakit.diagnostics import InvalidDocument, in_order
from lorakit.language.recipe import build_recipe, merge, settings, sweeps
from lorakit.language.recipe.checks import RECIPE_CHECKS
from lorakit.language.recipe.checks.amounts import MOST_PICTURES
from lorakit.language.recipe.documents import ModelSource, Project, Recipe, StoryboardStep
from lorakit.language.recipe.folders import folder_name
from lorakit.language.recipe.paths import Paths, project_root
from lorakit.language.story import build_board
from lorakit.language.story.checks import BOARD_CHECKS
from lorakit.language.yaml import access, schemas, source, validation
from lorakit.language.yaml.findings import Findings, Unreadable
from lorakit.language.yaml.reader import FolderReader

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lorakit.language.story.documents import Storyboard
    from lorakit.language.yaml.nodes import Node
    from lorakit.language.yaml.reader import Reader

Kind = Literal["recipe", "storyboard"]
_TOP_KEY = re.compile(
    r"""^(?:\{\s*)?["']?(recipe|storyboard|scenes|steps|extends|characters|models)["']?\s*:""",
    re.MULTILINE,
)
_HEAD = 65_536
_OURS = ("recipe", "storyboard", "steps", "scenes", "extends")


def document_kind(path: Path, reader: Reader | None = None) -> Kind | None:
    """Whether a YAML file is a recipe, a storyboard, or none of ours; a glance, not a reading.

    It sees top-level keys as text, so that a broken document is still known for what it means to be.
    """
    try:
        head = (reader or FolderReader()).read_bytes(path)[:_HEAD].decode("utf-8", "replace")
    except OSError:
        return None
    keys = {match[1] for match in _TOP_KEY.finditer(head.removeprefix("\ufeff"))}
    if "recipe" in keys:
        return "recipe"
    if "storyboard" in keys:
        return "storyboard"
    if "extends" in keys and keys & {"steps", "models"}:
        return "recipe"
    return "storyboard" if {"scenes", "characters"} <= keys else None


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
    return _Loader(reader or FolderReader(), {} if roots is None else roots).project(
        Path(path), settings, profile
    )


class _Loader:
    """One call of `load`: the files met so far, and what was found in them."""

    def __init__(self, reader: Reader, roots: Mapping[str, Path]) -> None:
        self._reader = reader
        self._roots = roots
        self._findings = Findings()
        self._trees: dict[Path, Node | None] = {}
        self._boards: dict[Path, Storyboard | None] = {}
        self._lines: dict[str, tuple[str, ...]] = {}
        self._varied = 0  # pictures of sweeps over storyboards so far

    def project(self, path: Path, given: Sequence[str], profile: str | None) -> Project:
        try:
            return self._project(path, given, profile)
        except Unreadable:
            raise InvalidDocument(in_order(self._findings.all)) from None

    def _project(self, path: Path, given: Sequence[str], profile: str | None) -> Project:
        findings = self._findings
        document = self._reader.resolve(path)
        paths = Paths(self._reader, project_root(self._reader, document), self._roots)
        root = self._tree(document, path)
        self._check_that_it_is_ours(root)
        if _is_board(root):
            root = self._with_settings(root, document, given)
            if profile is not None:
                findings.error(
                    "unknown-profile",
                    f"a storyboard has no profiles, so none called {profile}",
                    None,
                    "leave out --profile, or name a recipe that draws the storyboard",
                )
            recipe = self._lone_board(root, document)
        else:
            root, whole = merge.extended(root, paths, self._other_recipe, findings, (document,))
            if not whole:
                self._check_a_part(root)
            self._check_profiles(root, profile)
            if profile is not None:
                root = merge.with_profile(root, profile, findings)
            root = self._with_settings(root, document, given)
            recipe = self._recipe(root, document, paths)
        found = in_order(findings.all)
        if findings:
            raise InvalidDocument(found)
        return Project(
            root=paths.root,
            recipe=recipe,
            warnings=found,
            files=tuple(self._trees),
            lines=self._lines,
        )

    def _check_that_it_is_ours(self, root: Node) -> None:
        """Refuse a file that says nothing of what it is: a list of complaints would help nobody."""
        if isinstance(root.value, dict) and not root.value.keys().isdisjoint(_OURS):
            return
        self._findings.error(
            "wrong-document",
            "this is neither a recipe nor a storyboard",
            root,
            "a recipe begins with recipe: 1 and has steps:",
            "a storyboard begins with storyboard: 1 and has scenes:",
        )
        raise Unreadable

    def _with_settings(self, root: Node, document: Path, given: Sequence[str]) -> Node:
        if not given:
            return root
        words = settings.as_source(given, document)
        self._lines[words.name] = words.lines
        return settings.applied(root, words, self._findings)

    def _tree(self, path: Path, written: Path | None = None) -> Node:
        """The tree of a file, read once; raises Unreadable."""
        if path not in self._trees:
            self._trees[path] = None
            text = source.read(self._reader, written or path, self._findings)
            text.path = path
            self._lines[text.name] = text.lines
            self._trees[path] = source.compose(text, self._findings)
        tree = self._trees[path]
        if tree is None:
            raise Unreadable
        return tree

    def _other_recipe(self, path: Path, link: Node) -> Node:
        root = self._tree(path)
        if _is_board(root):
            self._findings.error(
                "wrong-document",
                "this is a storyboard; a recipe extends a recipe",
                link,
                f"draw it by a step: film: {{kind: storyboard, storyboard: {link.value}}}",
            )
            raise Unreadable
        if not isinstance(root.value, dict):
            validation.check(root, schemas.RECIPE, self._findings, "a recipe")
            raise Unreadable
        return root

    def _check_a_part(self, root: Node) -> None:
        """A recipe whose base is missing: what is wrong with its own values, not what it lacks."""
        before = len(self._findings.all)
        validation.check(root, schemas.RECIPE, self._findings, "a recipe")
        own = [one for one in self._findings.all[before:] if one.code != "missing-key"]
        self._findings.all[before:] = own
        raise Unreadable

    def _check_profiles(self, root: Node, chosen: str | None) -> None:
        """Hold every profile against the schema, so that a slip in one is found before it is used."""
        for name, over in access.mapping(root, "profiles").items():
            if name != chosen and isinstance(over.value, dict):
                validation.check(
                    merge.merged(root, over), schemas.RECIPE, self._findings, "a recipe"
                )

    def _recipe(self, root: Node, document: Path, paths: Paths) -> Recipe:
        validation.check(root, schemas.RECIPE, self._findings, "a recipe")
        swept = sweeps.expanded(root, self._findings)
        recipe = build_recipe.recipe(swept, document, paths, self._board, self._findings)
        for check in RECIPE_CHECKS:
            check(recipe, swept.root, self._findings)
        return recipe

    def _board(
        self, path: Path, link: Node, changes: tuple[sweeps.Change, ...] = ()
    ) -> Storyboard | None:
        if changes:
            # read, and found to be one, before; what else was wrong with it is told once
            root = self._trees.get(path) if self._board(path, link) is not None else None
            for change in changes if root is not None else ():
                assert root is not None
                root = sweeps.laid(root, change, self._findings, skip=1)
            return self._varied_board(root, path, link) if root is not None else None
        if path not in self._boards:
            self._boards[path] = None
            try:
                root = self._tree(path)
            except Unreadable:
                return None
            if not _is_board(root) and isinstance(root.value, dict) and "steps" in root.value:
                self._findings.error(
                    "wrong-document",
                    "this is a recipe, not a storyboard",
                    link,
                    f"to build on it, write extends: {link.value} at the top",
                )
                return None
            self._boards[path] = self._checked_board(root, path)
        return self._boards[path]

    def _varied_board(self, root: Node, path: Path, link: Node) -> Storyboard:
        """A sweep's board: what has no effect in one member may have it in the others."""
        before = len(self._findings.all)
        board = self._checked_board(root, path)
        kept = [one for one in self._findings.all[before:] if one.code != "no-effect"]
        self._findings.all[before:] = kept
        self._varied += sum(len(scene.sentences) for scene in board.scenes)
        if self._varied > MOST_PICTURES:
            message = f"the recipe's sweeps draw more than {MOST_PICTURES:,} pictures"
            self._findings.error("too-many-pictures", message, link, "write fewer members")
            raise Unreadable
        return board

    def _checked_board(self, root: Node, path: Path) -> Storyboard:
        validation.check(root, schemas.STORYBOARD, self._findings, "a storyboard")
        board = build_board.storyboard(root, path, self._findings)
        for check in BOARD_CHECKS:
            check(board, root, self._findings)
        return board

    def _lone_board(self, root: Node, path: Path) -> Recipe:
        """A storyboard alone is a recipe of one step."""
        board = self._checked_board(root, path)
        step = StoryboardStep(
            "film", root.place, model=build_recipe.STUDIO, adapters=(), board=board
        )
        model = ModelSource(build_recipe.STUDIO, "lorakit:studio", "auto", root.place)
        return Recipe(
            path=path,
            name=folder_name(path.stem),
            seed=build_recipe.default_seed(),
            models={model.name: model},
            datasets={},
            adapters={},
            steps={step.name: step},
            place=root.place,
        )


def _is_board(root: Node) -> bool:
    if not isinstance(root.value, dict) or "recipe" in root.value:
        return False
    return "storyboard" in root.value or ("scenes" in root.value and "steps" not in root.value)
