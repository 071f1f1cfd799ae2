"""What git cannot answer, in words."""

from __future__ import annotations

from lorakit.diagnostics import LorakitError


class GitError(LorakitError):
    """A repository, a revision or a file of one that is not there; `hint` is a way out."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n= {hint}" if hint else message)
        self.message = message
        self.hint = hint
