"""Models that stand beside the one that draws as a folder that names its class: found, told apart, counted.

What makes clips and what makes pictures larger are both such: each has its table of classes that are known.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol, TypeVar

from lorakit.facts.files.digests import Digests
from lorakit.facts.models.model_configs import ModelError, read_config
from lorakit.facts.models.model_lookup import folder_beside
from lorakit.facts.models.pipeline_files import INDEX, served, wanted
from lorakit.families.family import Part
from lorakit.language.recipe.documents import ModelSource
from lorakit.records import record


class MadeOfParts(Protocol):
    """What is known of a class: the parts of its folder, and the folders of its schedulers."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """The components that are loaded."""

    @property
    def schedulers(self) -> tuple[str, ...]:
        """The folders of its schedulers."""


@record
class PipelineModel:
    """A model by its folder; `path` and `digest` are None until it has been downloaded.

    `kind` is the class that its folder names, empty where it is not here yet. `weight_bytes` are those of
    all its files.
    """

    name: str
    source: str
    path: Path | None = None
    digest: str | None = None
    kind: str = ""
    weight_bytes: int = 0


ModelT = TypeVar("ModelT", bound=PipelineModel)


class PipelineSort(NamedTuple):
    """One sort of such models, `called` so: what is `known` of each class, and the files that may name it.

    `fails` says of any other class what it does not, `titles` which do.
    """

    called: str
    known: Mapping[str, MadeOfParts]
    fails: str
    titles: Callable[[], str]
    configs: tuple[str, ...] = (INDEX,)

    def read(
        self, model: type[ModelT], source: ModelSource, digests: Digests, *, download: bool
    ) -> ModelT:
        """The facts of one. Raises ModelError where there is none that is opened, OSError."""
        absent = ModelError(f"{source.source} is no folder of {self.called} in diffusers' layout")
        folder = folder_beside(source, self._wanted, self._is_whole, absent, download=download)
        if folder is None:
            return model(source.name, source.source)
        kind = self.kind_in(folder)
        names = self._served(folder, kind)
        size = sum((folder / name).stat().st_size for name in names)
        return model(source.name, source.source, folder, digests.files(folder, names), kind, size)

    def kind_in(self, folder: Path) -> str:
        """The class that a folder names. Raises ModelError where it is none that is known."""
        there = next((name for name in self.configs if (folder / name).is_file()), None)
        if there is None:
            raise ModelError(
                f"it has no {' and no '.join(self.configs)}: no model in diffusers' layout"
            )
        kind = str(read_config(folder, there).get("_class_name"))
        if kind not in self.known:
            raise ModelError(
                f"it is a {kind}, which {self.fails}", f"those that do: {self.titles()}"
            )
        return kind

    def holds(self, folder: Path) -> bool:
        """Whether a folder names a class that is known."""
        try:
            self.kind_in(folder)
        except (ModelError, OSError):
            return False
        return True

    def _served(self, folder: Path, kind: str) -> Sequence[str]:
        """The files that its pipeline is made of. Raises ModelError where weights are missing."""
        one = self.known[kind]
        return served(folder, one.parts, one.schedulers)

    def _wanted(self, listing: Collection[str]) -> Sequence[str]:
        """What is fetched of a repository, whichever class it turns out to name."""
        every = tuple(self.known.values())
        schedulers = tuple(dict.fromkeys(name for one in every for name in one.schedulers))
        return wanted(listing, (part for one in every for part in one.parts), schedulers)

    def _is_whole(self, folder: Path) -> bool:
        try:
            self._served(folder, self.kind_in(folder))
        except (OSError, ModelError):
            return False
        return True
