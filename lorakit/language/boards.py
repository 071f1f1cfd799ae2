"""The storyboards that a recipe's steps name, each read and checked once, and as sweeps vary them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lorakit.language import own_pictures
from lorakit.language.picks import decided
from lorakit.language.recipe import sweeps
from lorakit.language.recipe.checks.amounts import MOST_PICTURES
from lorakit.language.story import build_board
from lorakit.language.story.checks import BOARD_CHECKS
from lorakit.language.story.decisions import Decisions
from lorakit.language.yaml import access, schemas, validation
from lorakit.language.yaml.findings import Findings, Unreadable

if TYPE_CHECKING:
    from pathlib import Path

    from lorakit.language.recipe.paths import Paths
    from lorakit.language.recipe.sweep_values import Change
    from lorakit.language.story.documents import Storyboard
    from lorakit.language.trees import Trees
    from lorakit.language.yaml.nodes import Node


def is_board(root: Node) -> bool:
    """Whether a tree means to be a storyboard."""
    if not isinstance(root.value, dict) or "recipe" in root.value:
        return False
    return "storyboard" in root.value or ("scenes" in root.value and "steps" not in root.value)


def checked(root: Node, path: Path, paths: Paths, findings: Findings) -> Storyboard:
    """The storyboard of a tree; what is wrong with it is found."""
    validation.check(root, schemas.STORYBOARD, findings, "a storyboard")

    def find(node: Node, what: str) -> Path | None:
        return paths.file(node, what, findings)

    board = build_board.storyboard(root, path, findings, find)
    for check in BOARD_CHECKS:
        check(board, root, findings)
    return own_pictures.found(board, root, paths, findings)


class Boards:
    """The storyboards of one recipe."""

    def __init__(self, trees: Trees, paths: Paths, findings: Findings) -> None:
        self._trees = trees
        self._paths = paths
        self._findings = findings
        self._read: dict[Path, Storyboard | None] = {}
        self._varied = 0  # pictures of sweeps so far

    def of_steps(self, swept: sweeps.Sweeps) -> dict[str, Storyboard]:
        """Each step's storyboard, by the step's name; steps without a readable one are left out."""
        boards = {}
        for name, node in access.mapping(swept.root, "steps").items():
            link = access.child(node, "storyboard")
            if access.text(node, "kind") != "storyboard" or link is None:
                continue
            if not isinstance(link.value, str) or not link.value.strip():
                continue
            path = self._paths.file(link, "storyboard", self._findings)
            board = self._board(path, link, swept.board(name)) if path is not None else None
            if board is not None and "/" in name:
                # members of a sweep are held against each other as they are drawn
                board = replace(board, decisions=Decisions())
            if board is not None:
                boards[name] = board
        return boards

    def _board(self, path: Path, link: Node, changes: tuple[Change, ...]) -> Storyboard | None:
        if path not in self._read:
            self._read[path] = self._from_file(path, link)
        plain = self._read[path]
        if plain is None or not changes:
            return plain
        # what is wrong with it as it stands has been told
        root = self._trees.tree(path)
        for change in changes:
            root = sweeps.laid(root, change, self._findings, skip=1)
        return self._member(root, path, link)

    def _from_file(self, path: Path, link: Node) -> Storyboard | None:
        try:
            root = self._trees.tree(path)
        except Unreadable:
            return None
        if not is_board(root) and isinstance(root.value, dict) and "steps" in root.value:
            self._findings.error(
                "wrong-document",
                "this is a recipe, not a storyboard",
                link,
                f"to build on it, write extends: {link.value} at the top",
            )
            return None
        return self._decided(checked(root, path, self._paths, self._findings))

    def _decided(self, board: Storyboard) -> Storyboard:
        return decided(board, self._trees, self._paths.root, self._findings)

    def _member(self, root: Node, path: Path, link: Node) -> Storyboard:
        """A sweep's board: what has no effect in one member may have it in the others."""
        before = len(self._findings.all)
        board = checked(root, path, self._paths, self._findings)
        kept = [finding for finding in self._findings.all[before:] if finding.code != "no-effect"]
        self._findings.all[before:] = kept
        self._varied += sum(len(scene.sentences) for scene in board.scenes)
        if self._varied > MOST_PICTURES:
            message = f"the recipe's sweeps draw more than {MOST_PICTURES:,} pictures"
            self._findings.error("too-many-pictures", message, link, "write fewer members")
            raise Unreadable
        return board
