"""Models that make clips: a pipeline's folder, or an adapter that has a UNet move."""

from __future__ import annotations

from lorakit.facts.files.digests import Digests
from lorakit.facts.models.pipeline_files import INDEX
from lorakit.facts.models.pipeline_models import PipelineModel, PipelineSort
from lorakit.families.video_family import VideoFamily, VideoTask
from lorakit.families.videos import VIDEO_BY_CLASS, video_titles
from lorakit.language.recipe.documents import ModelSource
from lorakit.records import record

# an adapter's folder has no index
VIDEO_SORT = PipelineSort(
    "a video model", VIDEO_BY_CLASS, "makes no clips", video_titles, (INDEX, "config.json")
)


@record
class VideoModel(PipelineModel):
    """A model that makes clips."""

    @property
    def family(self) -> VideoFamily | None:
        """Its family; None where it is none that is known, or not here yet."""
        return VIDEO_BY_CLASS.get(self.kind)

    @property
    def tasks(self) -> tuple[VideoTask, ...]:
        """What its weights do, the usual one first."""
        return self.family.classes[self.kind] if self.family is not None else ()


def video_model(source: ModelSource, digests: Digests, *, download: bool) -> VideoModel:
    """The facts of one. Raises ModelError where there is none that is opened, OSError."""
    return VIDEO_SORT.read(VideoModel, source, digests, download=download)
