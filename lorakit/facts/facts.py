"""All that a plan may know of the world outside its recipe."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.records import record
from lorakit.store.sources import Sources

if TYPE_CHECKING:
    from pathlib import Path

    from lorakit.facts.adapters.adapter_facts import AdapterFacts
    from lorakit.facts.adapters.text_adapters import TextAdapterFacts
    from lorakit.facts.files.signing import Signing
    from lorakit.facts.machine.ffmpeg import Ffmpeg
    from lorakit.facts.machine.this_machine import Machine
    from lorakit.facts.models.control_models import ControlModel
    from lorakit.facts.models.ip_adapters import IpAdapter
    from lorakit.facts.models.model_facts import ModelFacts
    from lorakit.facts.models.tokens import TokenCounter
    from lorakit.facts.models.upscale_models import UpscaleModel
    from lorakit.facts.models.video_models import VideoModel
    from lorakit.facts.pictures.film_frames import FilmFrames
    from lorakit.facts.pictures.own_pictures import OwnPicture
    from lorakit.facts.pictures.picture import PictureFacts
    from lorakit.facts.sounds.own_sounds import OwnSound
    from lorakit.facts.sounds.voices import Voice
    from lorakit.facts.texts.text_data import TextFacts
    from lorakit.facts.texts.text_lengths import TextLengths
    from lorakit.facts.texts.text_models import TextModelFacts


@record
class Facts:
    """What planning may ask. `timings` are seconds a unit of work.

    `models` draw pictures, `text_models` read texts; `data` are the data sets of texts, `pictures` of
    pictures. `lengths` are by text model and data set, where both are here. `free_disk` are bytes where the
    project is.
    `judge` is the folder and the digest of what scores gated frames. `sources` are the files that digests
    were taken of.
    `control_models` stand beside what draws, `video_models` make clips, and `upscale_models` make
    pictures larger, by their names in the recipe;
    `ip_adapters` by the name of the model that wears them.
    """

    machine: Machine
    models: Mapping[str, ModelFacts]
    adapters: Mapping[str, AdapterFacts]
    # of text classifiers, which trainings of texts go on from
    text_adapters: Mapping[str, TextAdapterFacts] = field(default_factory=dict, kw_only=True)
    # that stand for frames, by their files
    own_pictures: Mapping[Path, OwnPicture] = field(default_factory=dict, kw_only=True)
    # that frames are held by
    own_films: Mapping[Path, FilmFrames] = field(default_factory=dict, kw_only=True)
    timings: Mapping[str, float]
    counters: Mapping[str, TokenCounter] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    text_models: Mapping[str, TextModelFacts] = field(default_factory=dict)
    data: Mapping[str, TextFacts] = field(default_factory=dict)
    pictures: Mapping[str, PictureFacts] = field(default_factory=dict)
    lengths: Mapping[tuple[str, str], TextLengths] = field(default_factory=dict)
    free_disk: int = sys.maxsize
    judge: tuple[str, str] | None = None
    sources: Sources = field(default_factory=Sources, repr=False)
    control_models: Mapping[str, ControlModel] = field(default_factory=dict, kw_only=True)
    video_models: Mapping[str, VideoModel] = field(default_factory=dict, kw_only=True)
    upscale_models: Mapping[str, UpscaleModel] = field(default_factory=dict, kw_only=True)
    # that films play, by their files
    own_sounds: Mapping[Path, OwnSound] = field(default_factory=dict, kw_only=True)
    # what films are written with, where there are some
    ffmpeg: Ffmpeg | None = field(default=None, kw_only=True)
    ip_adapters: Mapping[str, IpAdapter] = field(default_factory=dict, kw_only=True)
    # who can speak here, by their names
    voices: Mapping[str, Voice] = field(default_factory=dict, kw_only=True)
    # who signs films, where somebody does
    signing: Signing | None = field(default=None, kw_only=True)
