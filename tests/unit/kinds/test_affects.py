"""Each key of the schemas moves the actions its `x-affects` names, and no others."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lorakit import resources
from lorakit.language.yaml import schemas
from lorakit.plan.states import Plan
from tests.support.planning import plan_of

BOARD: dict[str, Any] = {
    "storyboard": 1,
    "title": "A story",
    "seed": 1,
    "look": {"style": "soft", "aspect": "1:1"},
    "characters": {
        "bunny": {
            "anchor": "a white bunny",
            "name": "the bunny",
            "aliases": ["hare"],
            "pronouns": "he",
        },
        "owl": {"anchor": "an old owl", "pronouns": "they"},
    },
    "chain": {"from": "previous", "strength": 0.5},
    "scenes": [
        {
            "name": "one",
            "setting": "on mars",
            "sentences": ["The bunny finds a key", {"text": "The rabbit looks"}, "a fox"],
        },
        {
            "name": "two",
            "setting": "at night",
            "sentences": ["The bunny rides", {"text": "He finds a hat"}, "an ant"],
        },
    ],
    "video": {"captions": True, "transition": {"kind": "crossfade", "seconds": 0.2}},
}
RECIPE: dict[str, Any] = {
    "recipe": 1,
    "seed": 1,
    "models": {
        "tiny": {"from": "lorakit:studio", "dtype": "fp32"},
        "other": {"from": "lorakit:studio"},
        "reader": {"from": "lorakit:minilm"},
        "other_reader": {"from": "lorakit:minilm"},
    },
    "datasets": {
        "texts": {"texts": "lorakit:movie-snippets"},
        "more": {"texts": "lorakit:movie-snippets"},
        "images": {"images": "lorakit:hologram"},
        "more_images": {"images": "lorakit:hologram"},
    },
    "steps": {
        "film": {"kind": "storyboard", "storyboard": "board.yaml", "model": "tiny"},
        "posters": {
            "kind": "generate",
            "model": "tiny",
            "prompts": ["a fox", {"text": "an owl"}],
            "aspect": "1:1",
        },
        "judge": {
            "kind": "train-text",
            "model": "reader",
            "data": "texts",
            "lora": {"rank": 4},
            "train": {"batch_size": 4},
        },
        "rival": {"kind": "train-text", "model": "reader", "data": "texts", "method": "full"},
        "style": {
            "kind": "train-image",
            "model": "tiny",
            "data": "images",
            "train": {"batch_size": 2, "max_train_steps": 8},
            "samples": {"prompts": ["a fox"], "num_inference_steps": 3},
        },
        "table": {"kind": "compare", "of": ["judge", "rival"]},
        "many": {
            "kind": "sweep",
            "of": {"kind": "train-text", "model": "reader", "data": "texts"},
            "over": {"lora.rank": [2, 4], "train.learning_rate": [1e-4, 1e-3]},
            "random": 2,
            "seeds": [1, 2],
            "best": {"metric": "accuracy", "mode": "max"},
        },
        "joined": {
            "kind": "video",
            "of": ["film", "posters"],
            "captions": True,
            "transition": {"kind": "crossfade", "seconds": 0.2},
        },
    },
}
Change = tuple[str, tuple[str | int, ...], Any]  # schema path, path in the document, another value

S, C = ("scenes", 0), ("scenes", 1, "sentences", 1)
KENBURNS = {"kind": "kenburns"}
CONTROL = {"kind": "pose", "from": "previous", "controlnet": "nets"}
WORN = {"from": "style"}
OVER = {"first": 0.2, "last": 0.4}  # over a scene's frames
LOOK = [
    ("style", "hard"),
    ("negative_prompt", "rain"),
    ("num_inference_steps", 9),
    ("guidance_scale", 3.5),
    ("scheduler", "heun_discrete"),
    ("clip_skip", 1),
    ("aspect", "16:9"),
]
KARRAS = {"scheduler": "heun_discrete", "use_karras_sigmas": True}
BOARD_CHANGES: list[Change] = [
    ("storyboard", ("storyboard",), 1),
    ("title", ("title",), "Another"),
    ("notes", ("notes",), "mine"),
    ("seed", ("seed",), 2),
    ("takes", ("takes",), 2),
    *[(f"look.{k}", ("look", k), v) for k, v in LOOK],
    ("look.use_karras_sigmas", ("look",), {"style": "soft", **KARRAS}),
    ("look.notes", ("look", "notes"), "mine"),
    ("look.width", ("look",), {"style": "soft", "width": 136}),
    ("look.height", ("look",), {"style": "soft", "height": 136}),
    ("characters", ("characters",), {**BOARD["characters"], "bunny": {"anchor": "a black bunny"}}),
    ("character.notes", ("characters", "bunny", "notes"), "mine"),
    ("character.anchor", ("characters", "bunny", "anchor"), "a black bunny"),
    ("character.name", ("characters", "bunny", "name"), "the hare"),
    ("character.aliases", ("characters", "bunny", "aliases"), ["rabbit"]),
    ("character.reference", ("characters", "bunny", "reference"), "scene:one/1"),
    ("character.adapter", ("characters", "bunny", "adapter"), WORN),
    ("character.adapter.from", ("characters", "bunny", "adapter"), WORN),
    ("character.adapter.weight", ("characters", "bunny", "adapter"), WORN | {"weight": 0.5}),
    *[
        (
            f"character.adapter.weight.{key}",
            ("characters", "bunny", "adapter"),
            WORN | {"weight": OVER},
        )
        for key in ("first", "last")
    ],
    ("character.adapter.trigger", ("characters", "bunny", "adapter"), WORN | {"trigger": "bnny"}),
    ("character.pronouns", ("characters", "bunny", "pronouns"), "she"),
    ("chain.notes", ("chain", "notes"), "mine"),
    ("chain.from", ("chain", "from"), "noise"),
    ("chain.strength", ("chain", "strength"), 0.7),
    ("chain.anchor_weight", ("chain", "anchor_weight"), 0.5),
    ("chain.mask", ("chain",), {"attention": "shared", "mask": "character"}),
    ("chain.strength.first", ("chain", "strength"), {"first": 0.8, "last": 0.8}),
    ("chain.strength.last", ("chain", "strength"), {"first": 0.8, "last": 0.8}),
    ("chain.anchor_weight.first", ("chain", "anchor_weight"), {"first": 0.4, "last": 0.4}),
    ("chain.anchor_weight.last", ("chain", "anchor_weight"), {"first": 0.4, "last": 0.4}),
    ("look.guidance_scale.first", ("look", "guidance_scale"), {"first": 3.0, "last": 3.0}),
    ("look.guidance_scale.last", ("look", "guidance_scale"), {"first": 3.0, "last": 3.0}),
    ("chain.color", ("chain", "color"), "anchor"),
    ("chain.attention", ("chain", "attention"), "shared"),
    ("gate.notes", ("gate",), {"notes": "mine"}),
    ("gate.character", ("gate",), {"character": 0.9}),
    ("gate.sentence", ("gate",), {"sentence": 0.9}),
    ("gate.drift", ("gate",), {"drift": 9.0}),
    ("gate.judge", ("gate",), {"sentence": 0.3, "judge": {"sentence": "clip"}}),
    ("gate.judge.sentence", ("gate",), {"sentence": 0.3, "judge": {"sentence": "clip"}}),
    ("gate.judge.character", ("gate",), {"character": 0.3, "judge": {"character": "clip"}}),
    ("gate.tries", ("gate",), {"drift": 9.0, "tries": 3}),
    *[
        (f"control.{key}", ("control",), {**CONTROL, key: value})
        for key, value in {
            "kind": "scribble",
            "from": "previous",
            "controlnet": "nets",
            "strength": 0.5,
            "start": 0.1,
            "end": 0.9,
        }.items()
    ],
    *[
        (f"control.strength.{key}", ("control",), CONTROL | {"strength": OVER})
        for key in ("first", "last")
    ],
    ("control.notes", ("control",), {"notes": "mine"}),
    ("upscale.notes", (*S, "upscale"), {"by": 1, "notes": "mine"}),
    ("upscale.by", ("upscale",), {"by": 4}),
    ("upscale.with", (*C, "upscale"), {"with": "lanczos"}),
    *[
        (f"upscale.{key}", (*S, "upscale"), {"with": "img2img", key: value})
        for key, value in {
            "strength": 0.5,
            "num_inference_steps": 11,
            "guidance_scale": 2.0,
        }.items()
    ],
    ("motion.notes", ("motion",), {"notes": "mine"}),
    ("motion.kind", ("motion",), {"kind": "kenburns"}),
    *[
        (f"motion.{key}", ("motion",), {"kind": "morph", key: value})
        for key, value in {"frames": 3, "strength": 0.5}.items()
    ],
    *[
        (f"motion.{key}", ("motion",), {"kind": "clip", "video_model": "other", key: value})
        for key, value in {
            "video_model": "svd",
            "uses": "words",
            "num_frames": 9,
            "num_inference_steps": 3,
            "guidance_scale": 2.0,
            "prompt": "an ant",
            "fit": "hold",
        }.items()
    ],
    *[
        (f"motion.{key}", ("motion",), {**KENBURNS, key: value})
        for key, value in {"zoom": [1.1, 1.3], "from": "left", "to": [0.3, 0.5]}.items()
    ],
    ("control.depth_model", ("control",), {**CONTROL, "kind": "depth", "depth_model": "depths"}),
    ("scenes", ("scenes", 0, "sentences", 0), "The bunny finds a cake"),
    ("scene.notes", (*S, "notes"), "mine"),
    ("scene.name", (*S, "name"), "renamed"),
    ("scene.setting", (*S, "setting"), "on the moon"),
    ("scene.seed", (*S, "seed"), 5),
    ("scene.start", ("scenes", 1, "start"), "previous-scene"),
    ("scene.takes", (*S, "takes"), 2),
    ("scene.sentences", (*S, "sentences"), ["a fox", "an owl"]),
    (
        "scene.text",
        (*S,),
        {"name": "one", "setting": "on mars", "text": "The bunny sleeps. He wakes."},
    ),
    ("sentence.notes", (*C, "notes"), "mine"),
    ("sentence.text", (*C, "text"), "He finds a cake"),
    ("sentence.prompt", (*C, "prompt"), "a cake"),
    ("sentence.negative_prompt", (*C, "negative_prompt"), "rain"),
    ("sentence.num_inference_steps", (*C, "num_inference_steps"), 11),
    ("sentence.guidance_scale", (*C, "guidance_scale"), 2.0),
    ("sentence.strength", (*C, "strength"), 0.8),
    ("sentence.seed", (*C, "seed"), 3),
    ("sentence.takes", (*C, "takes"), 2),
    ("sentence.hold", (*C, "hold"), "40f"),
    ("sentence.transition", (*C, "transition"), {"kind": "wipe-left", "seconds": 0.2}),
    ("scene.transition", ("scenes", 1, "transition"), {"kind": "fade-black", "seconds": 0.2}),
    ("sentence.caption", (*C, "caption"), "The hat"),
    ("sentence.at", (*C, "at"), 20),
    ("video.narration", ("video", "narration"), True),
    ("video.narration.voice", ("video", "narration"), {"voice": "en-gb"}),
    ("video.narration.pause", ("video", "narration"), {"pause": 1.0}),
    ("video.narration.gain", ("video", "narration"), {"gain": 3.0}),
    ("sentence.repeat", (*C, "repeat"), True),
    ("video.notes", ("video", "notes"), "mine"),
    ("video.needs", ("video", "needs"), "approved"),
    ("video.fps", ("video", "fps"), 12),
    ("video.format", ("video", "format"), "gif"),
    ("video.codec", ("video", "codec"), "h265"),
    ("video.encoder", ("video", "encoder"), "h264_nvenc"),
    ("video.quality", ("video", "quality"), 60),
    ("video.loop", ("video",), {"format": "gif", "loop": False}),
    ("video.title", ("video", "title"), True),
    ("video.end", ("video", "end"), {"text": "The end"}),
    ("video.scenes", ("video", "scenes"), True),
    *[
        (f"video.{card}.{key}", ("video", card), {"text": "x", key: value})
        for card in ("title", "end")
        for key, value in {"text": "y", "seconds": 5, "style": "light"}.items()
    ],
    ("card.notes", ("video",), {**BOARD["video"], "notes": "mine"}),
    ("card.text", ("video", "title"), "Another"),
    ("card.seconds", ("video", "title"), {"seconds": 5}),
    ("card.style", ("video", "title"), {"style": "light"}),
    ("video.hold", ("video", "hold"), 2.5),
    ("video.height", ("video", "height"), 256),
    ("video.transition", ("video", "transition"), {"kind": "cut"}),
    ("video.transition.kind", ("video", "transition", "kind"), "cut"),
    ("transition.kind", ("video", "transition", "kind"), "cut"),
    ("video.transition.seconds", ("video", "transition", "seconds"), 0.5),
    ("transition.seconds", ("video", "transition", "seconds"), 0.5),
    ("video.captions", ("video", "captions"), False),
    ("video.captions.position", ("video", "captions"), {"position": "top"}),
    ("video.transition.notes", ("video", "transition", "notes"), "mine"),
    ("transition.notes", ("video", "transition", "notes"), "mine"),
    ("video.captions.notes", ("video", "captions"), {"notes": "mine"}),
    ("video.captions.size", ("video", "captions"), {"size": 0.1}),
]
I = ("datasets", "images")  # noqa: E741
D, T, L, R = (
    ("datasets", "texts"),
    ("steps", "judge"),
    ("steps", "judge", "lora"),
    ("steps", "judge", "train"),
)
F, P, J = ("steps", "film"), ("steps", "posters"), ("steps", "joined")
STYLE, MANY = ("steps", "style"), ("steps", "many")
STYLED = RECIPE["steps"]["style"]  # what a key needs beside it to have an effect
RECIPE_CHANGES: list[Change] = [
    ("recipe", ("recipe",), 1),
    ("name", ("name",), "other"),
    ("notes", ("notes",), "mine"),
    ("seed", ("seed",), 2),
    ("profiles", ("profiles",), {"p": {"seed": 9}}),
    ("models", ("models", "tiny", "dtype"), "bf16"),
    ("model.notes", ("models", "tiny", "notes"), "mine"),
    ("model.dtype", ("models", "tiny", "dtype"), "bf16"),
    ("steps", (*P, "prompts"), ["a cake"]),
    ("storyboard.notes", (*F, "notes"), "mine"),
    ("storyboard.model", (*F, "model"), "other"),
    ("generate.notes", (*P, "notes"), "mine"),
    ("generate.model", (*P, "model"), "other"),
    ("generate.prompts", (*P, "prompts"), ["a cake"]),
    ("generate.images_per_prompt", (*P, "images_per_prompt"), 2),
    ("generate.seed", (*P, "seed"), 5),
    *[(f"generate.{k}", (*P, k), v) for k, v in LOOK],
    ("generate.use_karras_sigmas", (*P,), {**RECIPE["steps"]["posters"], **KARRAS}),
    ("generate.width", (*P,), {**RECIPE["steps"]["posters"], "aspect": None, "width": 136}),
    ("generate.height", (*P,), {**RECIPE["steps"]["posters"], "aspect": None, "height": 136}),
    ("prompt.notes", (*P, "prompts", 1, "notes"), "mine"),
    ("prompt.text", (*P, "prompts", 1, "text"), "a cake"),
    ("prompt.negative_prompt", (*P, "prompts", 1, "negative_prompt"), "rain"),
    ("prompt.seed", (*P, "prompts", 1, "seed"), 3),
    ("video.notes", (*J, "notes"), "mine"),
    ("datasets", (*D, "split"), "other"),
    ("dataset.notes", (*D, "notes"), "mine"),
    ("dataset.split", (*D, "split"), "other"),
    ("dataset.test_split", (*D, "test_split"), "other"),
    ("dataset.test_size", (*D, "test_size"), 0.5),
    ("dataset.columns", (*D, "columns"), {"text": "words"}),
    ("dataset.columns.notes", (*D, "columns"), {"notes": "mine"}),
    ("dataset.columns.text", (*D, "columns"), {"text": "words"}),
    ("dataset.columns.label", (*D, "columns"), {"label": "mark"}),
    ("dataset.labels", (*D, "labels"), ["yes", "no"]),
    ("dataset.limit", (*D, "limit"), 5),
    ("dataset.repeats", (*I, "repeats"), 5),
    ("train-text.notes", (*T, "notes"), "mine"),
    ("train-text.model", (*T, "model"), "other_reader"),
    ("train-text.data", (*T, "data"), "more"),
    ("train-text.method", ("steps", "rival", "method"), "lora"),
    ("train-text.max_length", (*T, "max_length"), 64),
    ("train-text.class_weights", (*T, "class_weights"), "balanced"),
    ("train-text.seed", (*T, "seed"), 9),
    ("train-text.lora", (*L, "rank"), 2),
    ("train-text.train", (*R, "batch_size"), 2),
    ("lora.notes", (*L, "notes"), "mine"),
    ("lora.rank", (*L, "rank"), 2),
    ("lora.alpha", (*L, "alpha"), 9),
    ("lora.dropout", (*L, "dropout"), 0.2),
    ("lora.target_modules", (*L, "target_modules"), ["key"]),
    ("lora.use_rslora", (*L, "use_rslora"), True),
    ("lora.use_dora", (*L, "use_dora"), True),
    ("lora.peft_type", (*STYLE, "lora"), {"peft_type": "loha"}),
    ("lora.modules_to_save", (*L, "modules_to_save"), ["pooler"]),
    ("train.notes", (*R, "notes"), "mine"),
    ("train.max_train_steps", (*R, "max_train_steps"), 9),
    ("train.num_train_epochs", (*R, "num_train_epochs"), 9),
    ("train.batch_size", (*R, "batch_size"), 2),
    ("train.gradient_accumulation_steps", (*R, "gradient_accumulation_steps"), 2),
    ("train.learning_rate", (*R, "learning_rate"), 0.1),
    ("train.lr_scheduler", (*R, "lr_scheduler"), "linear"),
    ("train.lr_warmup_steps", (*R, "lr_warmup_steps"), 2),
    ("train.warmup_ratio", R, {"max_train_steps": 9, "warmup_ratio": 0.5}),
    ("train.lr_num_cycles", R, {"lr_scheduler": "cosine_with_restarts", "lr_num_cycles": 2}),
    ("train.optimizer", (*R, "optimizer"), "sgd"),
    ("train.weight_decay", (*R, "weight_decay"), 0.1),
    ("train.max_grad_norm", (*R, "max_grad_norm"), 0.1),
    ("train.ema_decay", (*R, "ema_decay"), 0.9),
    ("train.precision", (*R, "precision"), "bf16"),
    ("train.gradient_checkpointing", (*R, "gradient_checkpointing"), True),
    ("train.torch_compile", (*R, "torch_compile"), True),
    ("train.save_every", (*R, "save_every"), 3),
    ("train.keep", (*R, "keep"), "best"),
    ("train.checkpointing_steps", (*R, "checkpointing_steps"), 3),
    ("train.trackers", (*R, "trackers"), ["tensorboard"]),
    ("train-text.resources", (*T, "resources"), {"processes": 2}),
    ("resources.notes", (*T, "resources"), {"notes": "mine"}),
    ("resources.processes", (*T, "resources"), {"processes": 2}),
    ("train-image.notes", (*STYLE, "notes"), "mine"),
    ("train-image.model", (*STYLE, "model"), "other"),
    ("train-image.data", (*STYLE, "data"), "more_images"),
    ("train-image.resolution", (*STYLE, "resolution"), 256),
    ("train-image.random_flip", (*STYLE, "random_flip"), True),
    ("train-image.caption_dropout", (*STYLE, "caption_dropout"), 0.1),
    ("train-image.snr_gamma", (*STYLE, "snr_gamma"), 5),
    ("train-image.noise_offset", (*STYLE, "noise_offset"), 0.1),
    ("train-image.method", STYLE, {**RECIPE["steps"]["style"], "samples": None, "method": "full"}),
    ("train-image.center_crop", (*STYLE, "center_crop"), True),
    ("train-image.random_crops", (*STYLE, "random_crops"), 3),
    ("train-image.shuffle_tags", (*STYLE, "shuffle_tags"), True),
    ("train-image.keep_tags", STYLE, STYLED | {"shuffle_tags": True, "keep_tags": 2}),
    ("train-image.prediction_type", (*STYLE, "prediction_type"), "v_prediction"),
    ("train-image.masked_loss", (*STYLE, "masked_loss"), True),
    ("train-image.prior_data", (*STYLE, "prior_data"), "more_images"),
    (
        "train-image.prior_loss_weight",
        STYLE,
        STYLED | {"prior_data": "more_images", "prior_loss_weight": 0.5},
    ),
    ("train-image.clip_skip", (*STYLE, "clip_skip"), 1),
    ("train-image.max_token_length", (*STYLE, "max_token_length"), 150),
    ("train-image.truncate_captions", (*STYLE, "truncate_captions"), True),
    (
        "train.text_encoder_learning_rate",
        STYLE,
        STYLED | {"train_text_encoder": True, "train": {"text_encoder_learning_rate": 1e-5}},
    ),
    ("train-image.train_text_encoder", (*STYLE, "train_text_encoder"), True),
    ("train-image.samples", (*STYLE, "samples", "prompts"), ["an owl"]),
    ("train-image.samples.notes", (*STYLE, "samples", "notes"), "mine"),
    ("train-image.samples.prompts", (*STYLE, "samples", "prompts"), ["an owl"]),
    ("train-image.samples.every", (*STYLE, "samples", "every"), 4),
    ("train-image.samples.seed", (*STYLE, "samples", "seed"), 4),
    ("train-image.samples.negative_prompt", (*STYLE, "samples", "negative_prompt"), "rain"),
    ("train-image.samples.num_inference_steps", (*STYLE, "samples", "num_inference_steps"), 4),
    ("train-image.samples.guidance_scale", (*STYLE, "samples", "guidance_scale"), 2.0),
    ("train-image.seed", (*STYLE, "seed"), 9),
    ("train-image.lora", (*STYLE, "lora"), {"rank": 2}),
    ("train-image.train", (*STYLE, "train", "batch_size"), 3),
    ("train-image.resources", (*STYLE, "resources"), {"processes": 2}),
    ("compare.notes", ("steps", "table", "notes"), "mine"),
    ("compare.of", ("steps", "table", "of"), ["rival", "judge"]),
    ("sweep.notes", (*MANY, "notes"), "mine"),
    ("sweep.of", (*MANY, "of"), {"kind": "train-text", "model": "reader", "data": "more"}),
    ("sweep.over", (*MANY, "over", "lora.rank"), [8, 16]),
    ("sweep.random", (*MANY, "random"), 3),
    ("sweep.seed", (*MANY, "seed"), 9),
    ("sweep.seeds", (*MANY, "seeds"), [3]),
    ("sweep.best", (*MANY, "best"), {"metric": "macro_f1", "mode": "max"}),
    ("sweep.best.notes", (*MANY, "best", "notes"), "mine"),
    ("sweep.best.metric", (*MANY, "best", "metric"), "macro_f1"),
    ("sweep.best.mode", (*MANY, "best", "mode"), "min"),
    ("axis.min", (*MANY, "over", "lora.rank"), {"min": 3, "max": 9}),
    ("axis.max", (*MANY, "over", "lora.rank"), {"min": 1, "max": 8}),
    ("axis.scale", (*MANY, "over", "lora.rank"), {"min": 1, "max": 9, "scale": "log"}),
    ("video.of", (*J, "of"), ["posters"]),
    ("video.fps", (*J, "fps"), 12),
    ("video.format", (*J, "format"), "gif"),
    ("video.codec", (*J, "codec"), "h265"),
    ("video.encoder", (*J, "encoder"), "h264_nvenc"),
    ("video.quality", (*J, "quality"), 60),
    ("video.loop", (*J,), {**RECIPE["steps"]["joined"], "format": "gif", "loop": False}),
    ("video.hold", (*J, "hold"), 2.5),
    ("video.height", (*J, "height"), 256),
    ("video.transition", (*J, "transition"), {"kind": "cut"}),
    ("video.captions", (*J, "captions"), False),
]
# what is encoded before a training on pictures, and drawn and laid out after it
OF_PICTURES = {"latents", "embeds", "frame", "contact-sheet"}
AUDIO = ("notes", "music", "gain", "fade_in", "fade_out", "duck", "loop")
# decided by files, by other documents, or for every key alike: tried elsewhere
ELSEWHERE = {
    "recipe": {
        "extends",
        "adapters",
        "adapter.from",
        "adapter.notes",
        "model.from",
        "model.memory",  # of transformers: tests/unit/plan/test_memory_modes.py
        "model.speed",
        "model.attention_backend",
        # of digests, which the facts bring: tests/func/test_ip_adapters.py
        *("model.ip_adapter", "model.weight_name"),
        "model.parts",  # of a digest as well
        "model.revision",  # of a digest, which the facts bring
        "step.kind",
        "generate.kind",
        "storyboard.kind",
        "video.kind",
        "video.audio",  # of a file
        "video.fit",
        "video.narration",
        *("video.title", "video.end", "video.font", "video.beats", "video.scenes"),
        "video.needs",  # of storyboards alone: tests/func/test_picks.py
        "storyboard.storyboard",
        "storyboard.adapters",
        "generate.adapters",
        "train-text.kind",
        "compare.kind",
        "sweep.kind",
        "sweep.of.kind",
        "axis.notes",
        "resources.gpus",  # where there are GPUs
        "train-image.kind",
        "dataset.texts",  # a digest, which the facts bring
        "dataset.images",  # a digest too
        "dataset.revision",
        "dataset.columns.image",
        "dataset.columns.caption",
        "dataset.caption",
        "dataset.trigger_word",
        "dataset.caption_extension",
        "lora.from",  # another step, or a digest
    },
    "storyboard": {
        *("control", "scene.control", "sentence.control"),
        *("motion", "scene.motion", "sentence.motion"),
        *("upscale", "scene.upscale", "sentence.upscale"),
        "gate.judge.notes",  # beside a model
        "character.adapter.notes",  # beside from: alone
        "control.control_mode",  # of a union: tests/func/test_controls.py
        "character.reference_scale",  # through an IP-Adapter: tests/func/test_ip_adapters.py
        # of files: tests/func/test_edits.py
        "sentence.edit",
        *(f"sentence.edit.{key}" for key in ("notes", "mask", "prompt", "strength", "chained")),
        "sentence.edit.instruction",
        "look",
        "chain",
        "gate",
        "video",
        "scene.gate",
        "scene.look",
        "scene.chain",
        "sentence.image",  # a digest, which the facts bring
        "sentence.audio",  # likewise
        # of narration: tests/func/test_narration.py
        *("sentence.say", "sentence.voice", "character.voice"),
        *("video.title.notes", "video.end.notes"),  # likewise
        "video.narration.notes",  # beside others alone: a mapping turns it on
        "video.beats",  # of the music: tests/func/test_beats.py
        "video.font",  # of a font that is here: tests/unit/rendering/test_film_cards.py
        "video.fit",  # of the music: tests/unit/plan/test_timing.py
        "video.audio",  # a digest too: tests/func/test_film_sound.py
        *(f"video.audio.{key}" for key in AUDIO),
    },
}


def schema(name: str) -> dict[str, Any]:
    return json.loads((resources.path("schemas") / f"{name}.schema.json").read_text())


def keys(node: dict[str, Any], file: str, prefix: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key a mapping of the schema has, with what the schema says of it."""
    shared = [one for one in node.get("allOf", ()) if "$ref" in one]
    own = node.get("properties", {})
    # what several mappings share is asked of each of them
    for name, written in (schemas.subschema(node, file).keys if shared else own).items():
        inner = written if name in own else schemas.subschema(written, file).raw
        yield f"{prefix}{name}", inner
        here = all(one["$ref"].startswith("#") for one in shared)
        if inner.get("properties") and (name in own or here):
            yield from keys(inner, file, f"{prefix}{name}.")


def all_keys(name: str) -> dict[str, dict[str, Any]]:
    whole, file = schema(name), f"{name}.schema.json"
    found = dict(keys(whole, file))
    for group, inner in whole["definitions"].items():
        if group != "film":
            found |= dict(keys(inner, file, f"{group}."))
    return found


def affects(name: str, key: str) -> str:
    inner = all_keys(name)[key]
    while "x-affects" not in inner and "$ref" in inner:
        file, _, pointer = inner["$ref"].partition("#/")
        inner = schema((file or f"{name}.").split(".")[0])
        for part in pointer.split("/"):
            inner = inner[part]
    return inner["x-affects"]


def changed(document: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    result = copy.deepcopy(document)
    inner: Any = result
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    if isinstance(value, dict):
        inner[path[-1]] = {k: v for k, v in value.items() if v is not None}
    return result


def signature(plan: Plan) -> dict[str, dict[str, str]]:
    """What decides each action, by kind."""
    kinds = ("frame", "film", "contact-sheet", "train-text", "train-image", "compare")
    kinds += (
        "gate",
        "control-map",
        "kenburns",
        "passing",
        "speech",
        "timing",
        "subtitles",
        "beats",
        "card",
        "sound-mix",
        "finished-film",
        "video-clip",
        "enlarge",
        "upscale",
        "score",
        "sweep-table",
        "sweep-best",
        "picture-figures",
        "side-by-side",
        "latents",
        "embeds",
    )
    found: dict[str, dict[str, str]] = {kind: {} for kind in kinds}
    for planned in plan.actions:
        action = planned.action
        inputs = [(i.role, i.action) for i in action.inputs] if action.kind == "frame" else []
        found[action.kind][action.id] = repr((sorted(action.task.key().items()), inputs))
    return found


def plan_with(
    folder: Path, board: dict[str, Any], recipe: dict[str, Any]
) -> dict[str, dict[str, str]]:
    (folder / "board.yaml").write_text(yaml.safe_dump(board, sort_keys=False))
    (folder / "recipe.yaml").write_text(yaml.safe_dump(recipe, sort_keys=False))
    from tests.support.planning import facts_for, knowing

    facts = knowing(facts_for(("tiny", "other")), "bunny")
    return signature(plan_of(folder / "recipe.yaml", facts))


@pytest.mark.parametrize(
    ("name", "change"),
    [*(("storyboard", c) for c in BOARD_CHANGES), *(("recipe", c) for c in RECIPE_CHANGES)],
    ids=lambda v: v if isinstance(v, str) else v[0],
)
def test_a_key_moves_what_it_says(tmp_path: Path, name: str, change: Change) -> None:
    key, path, value = change
    before = plan_with(tmp_path, BOARD, RECIPE)
    board = changed(BOARD, path, value) if name == "storyboard" else BOARD
    recipe = changed(RECIPE, path, value) if name == "recipe" else RECIPE
    after = plan_with(tmp_path, board, recipe)
    moved = {kind for kind in before if before[kind] != after[kind]}
    said = affects(name, key)
    if said == "nothing":
        assert moved == set()
    elif said == "sweep":
        assert moved & {"sweep-table", "train-text"}
    elif said == "train":
        moved -= {"sweep-table", "sweep-best"}
        pictures = path[:2] in (STYLE, I)
        assert moved - OF_PICTURES == {"train-image" if pictures else "train-text"}
    elif said == "sample":
        assert moved - {"contact-sheet"} == {"frame"}
    elif said == "choice":
        assert "gate" in moved
    elif said == "compare":
        assert moved == {"compare"}
    elif said == "film":
        assert moved
        assert "frame" not in moved
    else:
        assert said == "render"
        assert "frame" in moved


@pytest.mark.parametrize(
    ("name", "changes"), [("storyboard", BOARD_CHANGES), ("recipe", RECIPE_CHANGES)]
)
def test_every_key_is_tried(name: str, changes: list[Change]) -> None:
    tried = {key for key, _, _ in changes} | ELSEWHERE[name]
    assert set(all_keys(name)) - tried == set()
