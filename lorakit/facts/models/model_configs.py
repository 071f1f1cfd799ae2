"""A model's configurations, which others wrote: each is checked before anything is computed from it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lorakit.diagnostics import LorakitError
from lorakit.families import PARTS
from lorakit.files import parse_json, read_text

# bytes; a published tokenizer.json has two million, a configuration some thousands
_LARGEST = 16 << 20
_SHOWN = 40  # characters of a value that is wrong

Schema = Mapping[str, Any]


class ModelError(LorakitError):
    """A model cannot be used; the message says why, `hints` what would help."""

    def __init__(self, message: str, *hints: str) -> None:
        super().__init__(message)
        self.hints = hints


def _whole(least: int, most: int, *, null: bool = False) -> Schema:
    kind = ["integer", "null"] if null else "integer"
    told = f"a whole number from {least} to {most}"
    return {"type": kind, "minimum": least, "maximum": most, "description": told}


def _number(least: float, most: float, *, null: bool = False) -> Schema:
    kind = ["number", "null"] if null else "number"
    told = f"a number from {least:g} to {most:g}"
    return {"type": kind, "minimum": least, "maximum": most, "description": told}


def _each(schema: Schema, most: int, what: str) -> Schema:
    told = f"a list of {what}, 1 to {most} of them"
    return {"type": "array", "items": schema, "minItems": 1, "maxItems": most, "description": told}


def _either(*schemas: Schema) -> Schema:
    told = " or ".join(str(schema["description"]) for schema in schemas)
    return {"anyOf": list(schemas), "description": told}


_FLAG: Schema = {"type": ["boolean", "null"], "description": "true or false"}
_TEXT: Schema = {"type": ["string", "null"], "description": "a text"}
_NOTHING: Schema = {"type": "null", "description": "null"}
_LEVELS = 12  # blocks of a network; a published one has 4
_WIDTH = _whole(1, 16_384)
_WIDTHS = _each(_WIDTH, _LEVELS, "widths")
_LAYERS = _whole(1, 64)
_KINDS = _each({"type": "string"}, _LEVELS, "names of blocks")
_SIDE = _whole(1, 8192, null=True)
_DEPTH = _whole(0, 64)

_UNET: Schema = {
    "in_channels": _whole(1, 4096),
    "out_channels": _whole(1, 4096),
    "sample_size": _either(_SIDE, {**_each(_whole(1, 8192), 2, "height and width"), "minItems": 2}),
    "layers_per_block": _either(_LAYERS, _each(_LAYERS, _LEVELS, "whole numbers")),
    "block_out_channels": _WIDTHS,
    "cross_attention_dim": _either(_WIDTH, _each(_WIDTH, _LEVELS, "widths"), _NOTHING),
    "down_block_types": _KINDS,
    "up_block_types": _KINDS,
    "transformer_layers_per_block": _either(
        _DEPTH, _each({"anyOf": [_DEPTH, {"type": "array"}]}, _LEVELS, "whole numbers")
    ),
    "attention_head_dim": _either(_WIDTH, _each(_WIDTH, _LEVELS, "widths"), _NOTHING),
    "use_linear_projection": _FLAG,
    "addition_embed_type": _TEXT,
    "projection_class_embeddings_input_dim": _whole(1, 1_000_000, null=True),
    "time_cond_proj_dim": _whole(1, 16_384, null=True),
}
_LAYER_COUNT = _whole(0, 1000, null=True)
_TRANSFORMER: Schema = {
    "in_channels": _whole(1, 65_536),
    "num_layers": _LAYER_COUNT,
    "num_single_layers": _LAYER_COUNT,
    "n_layers": _LAYER_COUNT,
    "num_attention_heads": _whole(1, 1024, null=True),
    "attention_head_dim": _whole(1, 16_384, null=True),
    "dim": _whole(1, 1_000_000, null=True),
    "sample_size": _SIDE,
    "guidance_embeds": _FLAG,
}
_VAE: Schema = {
    "block_out_channels": _WIDTHS,
    "encoder_block_out_channels": _either(_WIDTHS, _NOTHING),
    "decoder_block_out_channels": _either(_WIDTHS, _NOTHING),
    "latent_channels": _whole(1, 4096),
    "scaling_factor": _number(-1e6, 1e6, null=True),
    "shift_factor": _number(-1e6, 1e6, null=True),
    "force_upcast": _FLAG,
    "sample_size": _either(_SIDE, {**_each(_whole(1, 8192), 2, "height and width"), "minItems": 2}),
    "base_dim": _WIDTH,
    "dim_mult": _each(_whole(1, 64), _LEVELS, "whole numbers"),
}
_TEXT_ENCODER: Schema = {
    "max_position_embeddings": _whole(4, 1_000_000),
    "hidden_size": _WIDTH,
    "num_hidden_layers": _whole(1, 256),
    "vocab_size": _whole(1, 10_000_000),
}
_SIZE = _whole(0, 10_000_000, null=True)
_TEXT_MODEL: Schema = {
    "model_type": _TEXT,
    "max_position_embeddings": _SIZE,
    "pad_token_id": _either(_whole(-1, 10_000_000), _NOTHING),
    "num_hidden_layers": _whole(0, 1000, null=True),
    "num_hidden_groups": _whole(0, 1000, null=True),
    "n_layers": _whole(0, 1000, null=True),
    **dict.fromkeys(
        (
            "hidden_size",
            "intermediate_size",
            "embedding_size",
            "dim",
            "hidden_dim",
            "vocab_size",
            "type_vocab_size",
        ),
        _SIZE,
    ),
    "classifier_bias": _FLAG,
    "norm_bias": _FLAG,
}
_SCHEDULER: Schema = {
    "_class_name": _TEXT,
    "num_train_timesteps": _whole(1, 100_000),
    "prediction_type": _TEXT,
    "timestep_spacing": _TEXT,
    "rescale_betas_zero_snr": _FLAG,
}
_COMPONENT: Schema = {
    "type": ["array", "null"],
    "items": {"type": ["string", "null"]},
    "minItems": 2,
    "maxItems": 2,
    "description": "a library and a class",
}
_INDEX: Schema = {
    "_class_name": {"type": "string", "description": "the name of a pipeline's class"},
    "requires_safety_checker": _FLAG,
    "force_zeros_for_empty_prompt": _FLAG,
    "is_distilled": _FLAG,
    **dict.fromkeys((*PARTS, "scheduler"), _COMPONENT),
}
_STUDIO: Schema = {
    "default_num_inference_steps": _whole(1, 1000),
    "default_guidance_scale": _number(0, 100),
    "vocabulary": {
        "type": "array",
        "items": {"type": "string", "minLength": 1},
        "description": "a list of words",
    },
}
_REQUIRED = {
    "model_index.json": ("_class_name",),
    "unet/config.json": ("in_channels",),
    "transformer/config.json": ("in_channels",),
}
_SCHEMAS: Mapping[str, Schema] = {
    "model_index.json": _INDEX,
    "unet/config.json": _UNET,
    "vae/config.json": _VAE,
    "text_encoder/config.json": _TEXT_ENCODER,
    "text_encoder_2/config.json": _TEXT_ENCODER,
    "text_encoder_3/config.json": _TEXT_ENCODER,
    "transformer/config.json": _TRANSFORMER,
    "scheduler/scheduler_config.json": _SCHEDULER,
    "low_res_scheduler/scheduler_config.json": _SCHEDULER,
    "studio.json": _STUDIO,
    "config.json": _TEXT_MODEL,
}


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """A configuration of a model's folder, such as `unet/config.json`. Raises ModelError."""
    data = read_json(folder / name, name)
    schema = _SCHEMAS[name]
    error = next(iter(_validator(name).iter_errors(data)), None)
    if error is not None:
        path = list(error.instance_path)
        if not path:
            raise ModelError(f"{name} of the model in {folder} lacks {_lacking(name, data)}")
        value = data[path[0]]
        for step in path[1:]:
            value = value[step]
        at = ".".join(map(str, path))
        wanted = schema[str(path[0])]["description"]
        raise ModelError(
            f"{name} of the model in {folder} has {at}: {_short(value)}, where {path[0]} is {wanted}",
            "the file is damaged, or of another kind of model: fetch it anew",
        )
    return data


def read_json(file: Path, name: str) -> dict[str, Any]:
    """An object of JSON; `name` is what a message calls it. Raises ModelError."""
    what = f"{name} of the model in {str(file).removesuffix(name).rstrip('/') or file.parent}"
    if not file.is_file():
        there = "is no file" if file.exists() else "is missing"
        raise ModelError(f"{what} {there}")
    try:
        if file.stat().st_size > _LARGEST:
            raise ModelError(f"{what} is larger than any configuration")
        data = parse_json(read_text(file, _LARGEST, encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{what} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{what} cannot be read: {error}") from error
    if not isinstance(data, dict):
        raise ModelError(f"{what} is no object of JSON, and so no configuration")
    return data


@functools.cache
def _validator(name: str) -> Any:
    from jsonschema_rs import Draft7Validator

    required = list(_REQUIRED.get(name, ()))
    return Draft7Validator(
        {"type": "object", "required": required, "properties": dict(_SCHEMAS[name])}
    )


def _lacking(name: str, data: Mapping[str, Any]) -> str:
    return ", ".join(key for key in _REQUIRED.get(name, ()) if key not in data)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
