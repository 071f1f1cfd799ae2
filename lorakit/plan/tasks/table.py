"""All tasks by their kind, for who is sent one and does not know which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lorakit.plan.tasks.beats import BeatsTask
from lorakit.plan.tasks.card import CardTask
from lorakit.plan.tasks.clip import (
    ClipPicturesTask,
    JoinedClipTask,
    KenBurnsTask,
    PassingTask,
    VideoClipTask,
)
from lorakit.plan.tasks.control import ControlMapTask
from lorakit.plan.tasks.encode import EmbedsTask, LatentsTask
from lorakit.plan.tasks.figures import (
    CompareTask,
    PictureFiguresTask,
    SweepBestTask,
    SweepTableTask,
)
from lorakit.plan.tasks.film import FilmTask
from lorakit.plan.tasks.finished_film import FinishedFilmTask, SignedFilmTask
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.gate import GateTask, ScoreTask
from lorakit.plan.tasks.image_embeds import ImageEmbedsTask
from lorakit.plan.tasks.json_form import from_json
from lorakit.plan.tasks.painted import PaintedTask
from lorakit.plan.tasks.pick import PickTask
from lorakit.plan.tasks.sheet import ContactSheetTask
from lorakit.plan.tasks.side_by_side import SideBySideTask
from lorakit.plan.tasks.sound import SoundMixTask
from lorakit.plan.tasks.speech import SpeechTask, TimingTask
from lorakit.plan.tasks.subtitles import SubtitlesTask
from lorakit.plan.tasks.task import WorkerTask
from lorakit.plan.tasks.training import TrainImageTask, TrainTextTask
from lorakit.plan.tasks.upscale import EnlargeTask, UpscaleTask

TASKS: Mapping[str, type[WorkerTask]] = {
    task.kind: task
    for task in (
        FrameTask,
        PickTask,
        PaintedTask,
        ScoreTask,
        GateTask,
        ControlMapTask,
        ImageEmbedsTask,
        LatentsTask,
        EmbedsTask,
        TrainTextTask,
        TrainImageTask,
        KenBurnsTask,
        PassingTask,
        VideoClipTask,
        ClipPicturesTask,
        JoinedClipTask,
        CardTask,
        EnlargeTask,
        UpscaleTask,
        FilmTask,
        SpeechTask,
        BeatsTask,
        TimingTask,
        SubtitlesTask,
        SoundMixTask,
        FinishedFilmTask,
        SignedFilmTask,
        ContactSheetTask,
        SideBySideTask,
        CompareTask,
        PictureFiguresTask,
        SweepTableTask,
        SweepBestTask,
    )
}


def task_from_json(data: Mapping[str, Any]) -> WorkerTask:
    """The task that `to_json` wrote."""
    return from_json(TASKS[data["kind"]], {k: v for k, v in data.items() if k != "kind"})
