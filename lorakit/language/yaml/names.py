"""Words that other tools use for what is ours, and words that were nearly ours."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# what kohya, A1111, ComfyUI, InvokeAI, Deforum and friends call it -> what it is called here;
# a name may mean different things in different places, so the first of ours that is allowed there is taken
FOREIGN: dict[str, tuple[str, ...]] = {
    "adapter": ("adapters",),
    "alias": ("aliases",),
    "accumulation": ("gradient_accumulation_steps",),
    "base_lr": ("learning_rate",),
    "clip_grad_norm": ("max_grad_norm",),
    "dataset": ("data", "datasets"),
    "epochs": ("num_train_epochs",),
    "gradient_clipping": ("max_grad_norm",),
    "id2label": ("labels",),
    "label_names": ("labels",),
    "lora_alpha": ("alpha",),
    "lora_dropout": ("dropout",),
    "lora_rank": ("rank",),
    "lr": ("learning_rate",),
    "lr_scheduler_num_cycles": ("lr_num_cycles",),
    "lr_scheduler_type": ("lr_scheduler",),
    "max_seq_length": ("max_length",),
    "max_steps": ("max_train_steps",),
    "log_with": ("trackers",),
    "micro_batch_size": ("batch_size",),
    "mixed_precision": ("precision",),
    "network_alpha": ("alpha",),
    "network_dim": ("rank",),
    "network_dropout": ("dropout",),
    "num_epochs": ("num_train_epochs",),
    "num_gpus": ("gpus",),
    "num_processes": ("processes", "gpus"),
    "optim": ("optimizer",),
    "per_device_train_batch_size": ("batch_size",),
    "r": ("rank",),
    "report_to": ("trackers",),
    "save_every_n_epochs": ("save_every",),
    "max_train_epochs": ("num_train_epochs",),
    "save_every_n_steps": ("save_every",),
    "save_steps": ("checkpointing_steps",),
    "target": ("target_modules",),
    "train_batch_size": ("batch_size",),
    "validation_split": ("test_split",),
    "val_split": ("test_split",),
    "warmup": ("lr_warmup_steps",),
    "warmup_steps": ("lr_warmup_steps",),
    "algo": ("peft_type",),
    "continue_from": ("from",),
    "init_lora_weights": ("from",),
    "network_weights": ("from",),
    "caption_ext": ("caption_extension",),
    "class_weight": ("class_weights",),
    "load_best_model_at_end": ("keep",),
    "lr_warmup_ratio": ("warmup_ratio",),
    "max_token_len": ("max_token_length",),
    "save_n_steps": ("save_every",),
    "text_encoder_lr": ("text_encoder_learning_rate",),
    "te_lr": ("text_encoder_learning_rate",),
    "truncate": ("truncate_captions",),
    "unet_lr": ("learning_rate",),
    "alpha_mask": ("masked_loss",),
    "caption_dropout_rate": ("caption_dropout",),
    "class_data_dir": ("prior_data",),
    "ema": ("ema_decay",),
    "flip_aug": ("random_flip",),
    "keep_tokens": ("keep_tags",),
    "min_snr_gamma": ("snr_gamma",),
    "num_repeats": ("repeats",),
    "reg_data_dir": ("prior_data",),
    "sample_every": ("every",),
    "sample_prompts": ("samples", "prompts"),
    "shuffle_caption": ("shuffle_tags",),
    "trigger": ("trigger_word",),
    "v_parameterization": ("prediction_type",),
    "validation_prompts": ("samples", "prompts"),
    "validation_steps": ("every",),
    "appearance": ("anchor",),
    "aspect_ratio": ("aspect",),
    "base": ("extends", "from"),
    "base_model": ("model", "models"),
    "batch_count": ("images_per_prompt",),
    "caption": ("captions", "name"),
    "cast": ("characters",),
    "cfg": ("guidance_scale",),
    "cfg_scale": ("guidance_scale",),
    "character": ("characters",),
    "checkpoint": ("model", "models", "from"),
    "ckpt": ("model", "models", "from"),
    "ckpt_name": ("model", "from"),
    "clips": ("of",),
    "count": ("images_per_prompt",),
    "crossfade": ("transition",),
    "data_type": ("dtype",),
    "denoise": ("strength",),
    "denoising_strength": ("strength",),
    "description": ("anchor", "notes"),
    "display_name": ("name",),
    "duration": ("hold", "seconds"),
    "fade": ("transition", "crossfade"),
    "file": ("storyboard", "from"),
    "film": ("video",),
    "frame_rate": ("fps",),
    "framerate": ("fps",),
    "frames": ("sentences", "scenes"),
    "frames_per_second": ("fps",),
    "gender": ("pronouns",),
    "guidance": ("guidance_scale",),
    "h": ("height",),
    "image_strength": ("strength",),
    "images": ("images_per_prompt",),
    "include": ("extends",),
    "inference_steps": ("num_inference_steps",),
    "inherits": ("extends",),
    "init": ("start",),
    "inputs": ("of",),
    "length": ("hold",),
    "location": ("setting",),
    "lora": ("adapters", "train-image"),
    "loras": ("adapters",),
    "method": ("from", "kind"),
    "mode": ("from", "kind"),
    "model_id": ("model", "from"),
    "model_name": ("model", "from"),
    "n_iter": ("images_per_prompt",),
    "n_samples": ("images_per_prompt",),
    "neg": ("negative_prompt",),
    "negative": ("negative_prompt",),
    "negative_prompts": ("negative_prompt",),
    "noise_seed": ("seed",),
    "num_images": ("images_per_prompt",),
    "num_images_per_prompt": ("images_per_prompt",),
    "num_steps": ("num_inference_steps",),
    "nickname": ("aliases",),
    "paragraph": ("text",),
    "parts": ("of",),
    "path": ("from", "storyboard"),
    "place": ("setting",),
    "precision": ("dtype",),
    "pretrained_model_name_or_path": ("from", "model"),
    "pronoun": ("pronouns",),
    "prompt": ("prompts", "text"),
    "prompts": ("sentences",),
    "ratio": ("aspect",),
    "resolution": ("aspect", "height"),
    "rng_seed": ("seed",),
    "sampler": ("scheduler",),
    "sampler_name": ("scheduler",),
    "sampling_steps": ("num_inference_steps",),
    "scale": ("guidance_scale",),
    "scene": ("scenes",),
    "script": ("storyboard", "scenes"),
    "sentence": ("text", "sentences"),
    "settings": ("look", "setting"),
    "shots": ("sentences", "scenes"),
    "size": ("aspect", "height"),
    "source": ("from",),
    "steps": ("num_inference_steps", "max_train_steps"),
    "story": ("text", "storyboard", "scenes"),
    "subtitles": ("captions",),
    "synonyms": ("aliases",),
    "template": ("extends",),
    "time": ("hold", "seconds"),
    "torch_dtype": ("dtype",),
    "transition_seconds": ("transition",),
    "uncond": ("negative_prompt",),
    "uses": ("model", "kind"),
    "type": ("kind",),
    "version": ("storyboard", "recipe"),
    "w": ("width",),
    "weights": ("from", "adapters"),
    "karras": ("use_karras_sigmas",),
    "karras_sigmas": ("use_karras_sigmas",),
    # schedulers, as A1111, ComfyUI and InvokeAI call them
    "dpm++ 2m": ("dpm_solver_multistep",),
    "dpm++ 2m karras": ("dpm_solver_multistep",),
    "dpmpp_2m": ("dpm_solver_multistep",),
    "dpmpp": ("dpm_solver_multistep",),
    "dpm_solver": ("dpm_solver_multistep",),
    "dpm": ("dpm_solver_multistep",),
    "euler": ("euler_discrete",),
    "euler a": ("euler_ancestral_discrete",),
    "euler_a": ("euler_ancestral_discrete",),
    "k_euler": ("euler_discrete",),
    "k_euler_a": ("euler_ancestral_discrete",),
    "euler_ancestral": ("euler_ancestral_discrete",),
    "dpm2": ("kdpm2_discrete",),
    "dpm_2": ("kdpm2_discrete",),
    "k_dpm_2": ("kdpm2_discrete",),
    "heun": ("heun_discrete",),
    "plms": ("pndm",),
    "unipc": ("unipc_multistep",),
    "uni_pc": ("unipc_multistep",),
    # values
    "fade_in": ("crossfade",),
    "dissolve": ("crossfade",),
    "below": ("bottom",),
    "above": ("top",),
    "none": ("cut", "noise"),
    "img2img": ("previous",),
    "txt2img": ("noise", "generate"),
    "image": ("generate",),
    "first": ("anchor",),
    "last": ("previous",),
    "bfloat16": ("bf16",),
    "float16": ("fp16",),
    "half": ("fp16",),
    "float32": ("fp32",),
    "full": ("fp32",),
    "him": ("he",),
    "her": ("she",),
    "male": ("he",),
    "female": ("she",),
}

# what other tools have as a value of a key, and here is another key's
VALUES: dict[tuple[str, str], str] = {
    ("peft_type", "dora"): "write peft_type: lora, and use_dora: true beside it",
    ("peft_type", "rslora"): "write peft_type: lora, and use_rslora: true beside it",
    (
        "peft_type",
        "locon",
    ): "write peft_type: lora, and name convolutions (conv1, conv2) in target_modules",
}

# asked for elsewhere, and not here yet: an honest word instead of a guess
LATER: dict[str, str] = {
    "conv_dim": "training convolutions",
}


def foreign(word: str, ours: Iterable[str]) -> str | None:
    """What is called `word` elsewhere and is one of `ours`, if there is such a thing."""
    allowed = set(ours)
    spaced = " ".join(word.casefold().replace("-", " ").replace("_", " ").split())
    for candidate in FOREIGN.get(spaced.replace(" ", "_"), FOREIGN.get(spaced, ())):
        if candidate in allowed:
            return candidate
    return None


def nearest(word: str, ours: Iterable[str]) -> str | None:
    """The one of `ours` that `word` was probably meant to be."""
    import difflib

    if len(word) > 200:
        return None
    choices = {name.casefold(): name for name in ours}
    plain = word.strip().casefold().replace("-", "_")
    if plain in choices:
        return choices[plain]
    dashed = plain.replace("_", "-")
    if dashed in choices:
        return choices[dashed]
    close = difflib.get_close_matches(plain, choices, n=1, cutoff=0.65)
    if close:
        return choices[close[0]]
    joined = plain.replace("_", "")
    begun = [
        name for name in choices if len(joined) > 3 and name.replace("_", "").startswith(joined)
    ]
    return choices[begun[0]] if len(begun) == 1 else None


def did_you_mean(word: str, ours: Iterable[str], shape: str = "{}") -> str:
    """A hint that names the nearest of `ours`, or an empty text."""
    name = nearest(word, ours)
    return f"did you mean {shape.format(name)}?" if name else ""


def enumerated(names: Sequence[str], most: int) -> str:
    """Names in a row, all of them or the first and how many more: a, b and 3 more."""
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most:,} more"
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names in a row, as a sentence has them."""
    shown = list(names)
    if len(shown) > most:
        return ", ".join(shown[:most]) + f" and {len(shown) - most} more"
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} or {shown[-1]}"
