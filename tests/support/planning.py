"""Plans without a model on disk: facts as a test wants them, and a store in memory."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path

from lorakit.facts.facts import Facts
from lorakit.facts.machine.this_machine import Machine
from lorakit.facts.models.control_models import ControlModel
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.upscale_models import UpscaleModel
from lorakit.facts.models.video_models import VideoModel
from lorakit.facts.pictures.film_frames import FilmFrame, FilmFrames
from lorakit.facts.pictures.own_pictures import OwnPicture, files_named, named
from lorakit.facts.pictures.picture import Picture, PictureFacts
from lorakit.facts.sounds.own_sounds import OwnSound, sounds_named
from lorakit.facts.sounds.voices import Voice, voices_asked
from lorakit.facts.texts.text_data import TextFacts
from lorakit.facts.texts.text_models import TextModelFacts
from lorakit.kinds import kind_of
from lorakit.language import load
from lorakit.plan import planner
from lorakit.plan.actions import Action
from lorakit.plan.keys import action_key
from lorakit.plan.selection import Selection
from lorakit.plan.states import Plan
from lorakit.store.store import Manifest, Output

BERT = {
    "model_type": "bert",
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "vocab_size": 50,
    "max_position_embeddings": 512,
}
UPSCALER = "StableDiffusionUpscalePipeline"
MACHINE = Machine("cpu", "cpu-test", "CPU", fast_bf16=False)


def facts_for(
    names: tuple[str, ...] = ("studio", "tiny"), *, family: str = "sd", **more: object
) -> Facts:
    """Facts of models that need not exist."""
    models = {
        name: ModelFacts(
            name,
            f"lorakit:{name}",
            family,
            Path("/nowhere"),
            f"digest of {name}",
            native=(128, 128),
            num_inference_steps=20,
            guidance_scale=5.0,
            weight_bytes=40 << 20,
            **more,  # type: ignore[arg-type]
        )
        for name in names
    }
    reader = TextModelFacts("reader", "lorakit:minilm", Path("/nowhere"), "digest of reader", BERT)
    data = {
        name: TextFacts(f"digest of {name}", ("no", "yes"), 100, 20) for name in ("texts", "more")
    }
    text_models = {
        "reader": reader,
        "other_reader": replace(reader, digest="digest of other_reader"),
    }
    pictures = {
        name: PictureFacts(
            f"digest of {name}",
            (Picture(Path("a.png"), "a fox", (96, 64), "a.png", "digest", Path("mask.png")),) * 3,
        )
        for name in ("images", "more_images")
    }
    config = {"_class_name": "ControlNetModel"}
    depth = {"architectures": ["DepthAnythingForDepthEstimation"]}
    clip = {"model_type": "clip", "vision_config": {}, "text_config": {}}
    beside = {
        "clip": ControlModel("clip", "clip", Path("/nowhere"), "digest of clip", clip),
        "nets": ControlModel("nets", "nets", Path("/nowhere"), "digest of nets", config),
        "depths": ControlModel("depths", "depths", Path("/nowhere"), "digest of depths", depth),
    }
    kinds = {"wan": "WanImageToVideoPipeline", "svd": "StableVideoDiffusionPipeline"}
    videos = {
        name: VideoModel(name, name, Path("/nowhere"), f"digest of {name}", kind)
        for name, kind in kinds.items()
    }
    return Facts(
        MACHINE,
        models,
        {},
        {},
        text_models=text_models,
        data=data,
        pictures=pictures,
        judge=("judge", "digest of the judge"),
        control_models=beside,
        video_models=videos,
        upscale_models={"x4": UpscaleModel("x4", "x4", Path("/nowhere"), "digest of x4", UPSCALER)},
    )


def knowing(facts: Facts, *words: str) -> Facts:
    """The same facts, with models that know these words, as the studio's does."""
    known = frozenset(words)
    models = {name: replace(model, vocabulary=known) for name, model in facts.models.items()}
    return replace(facts, models=models)


@dataclass
class Memory:
    """A store in memory: what it says it has, it has. Contents are named for their keys, or `hashed`."""

    manifests: dict[str, Manifest] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    texts: dict[str, str] = field(default_factory=dict)
    hashed: bool = False

    def manifest(self, key: str) -> Manifest | None:
        return self.manifests.get(key)

    def text(self, output: Output) -> str:
        return self.texts.get(output.digest, "")

    def has(self, output: Output) -> bool:
        return output.digest not in self.gone

    def _digest(self, content: str) -> str:
        return hashlib.sha256(content.encode()).hexdigest() if self.hashed else content

    def make_all(self, plan: Plan) -> dict[str, str]:
        """Pretend a run: everything made, contents named after keys. Returns addresses."""
        outputs: dict[str, Mapping[str, Output]] = {}
        addresses = {}
        asked: dict[str, set[str]] = {}
        for source in (i for planned in plan.actions for i in planned.action.inputs):
            asked.setdefault(source.action, set()).add(source.output)
        for planned in plan.actions:
            action: Action = planned.action
            inputs = {i.role: outputs[i.action][i.output].digest for i in action.inputs}
            key = action_key(action, inputs)
            names = set(action.files) | asked.get(action.id, set())
            names |= {"latents"} if action.kind == "frame" else set()
            outputs[action.id] = {n: Output(self._digest(f"{n} of {key}"), 1) for n in names}
            self.manifests[key] = Manifest(
                key, action.kind, action.task.key(), inputs, outputs[action.id], 1.0, {}
            )
            addresses[action.id] = key
        return addresses


def _film(name: str) -> FilmFrames:
    """A film of a hundred seconds, a frame each."""
    frames = (FilmFrame(Fraction(n), f"{name} {n}") for n in range(100))
    return FilmFrames(tuple(frames), Fraction(100))


def plan_of(
    path: Path,
    facts: Facts | None = None,
    memory: Memory | None = None,
    last: Mapping[str, str] | None = None,
    selection: Selection | None = None,
) -> Plan:
    """The plan of a document."""
    project = load(path)
    known = facts or facts_for()
    own = {one.path: OwnPicture(one.path.name, (64, 48), False) for one in named(project)}
    held = [p for p in files_named(project) if p not in own]
    films = {path: _film(path.name) for path in held}
    sounds = {one.path: OwnSound(one.path.name, 480_000) for one in sounds_named(project)}
    asked = [one.name for one in voices_asked(project)]
    voices = {name: Voice(f"espeak-ng of {name}", ("espeak-ng",)) for name in asked}
    return planner.plan(
        project,
        replace(known, own_pictures=own, own_films=films, own_sounds=sounds, voices=voices),
        kind_of,
        memory or Memory(),
        last or {},
        selection or Selection(),
    )
