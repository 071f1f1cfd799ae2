"""Frames as a workflow of ComfyUI, in its API's form: `{"1": {"class_type": …, "inputs": …}, …}`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lorakit.diagnostics import Diagnostic, Place
from lorakit.doors.comfy_models import Loader, LoraFile, OwnSampling
from lorakit.doors.samplers import COMFY
from lorakit.families import FAMILIES
from lorakit.language.story.weights import pieces
from lorakit.plan.actions import Action
from lorakit.plan.tasks.frame import FrameTask

Link = list[Any]  # [node, which of its outputs]
Node = dict[str, Any]


@dataclass(slots=True)
class Workflow:
    """Nodes by number, and what is not carried, each beside the node that it is of."""

    nodes: dict[str, Node] = field(default_factory=dict)
    said: list[Diagnostic] = field(default_factory=list)
    _known: dict[str, str] = field(default_factory=dict)

    def node(self, class_type: str, title: str, **inputs: Any) -> str:
        """A node's number; one that is there already with the same inputs is taken again."""
        key = f"{class_type} {inputs!r}"
        if class_type == "SaveImage" or key not in self._known:
            number = str(len(self.nodes) + 1)
            self.nodes[number] = {
                "class_type": class_type,
                "inputs": inputs,
                "_meta": {"title": title},
            }
            self._known[key] = number
        return self._known[key]

    def say(self, node: str, message: str, place: Place | None, *hints: str) -> None:
        """Tell what is not carried: to the user, and in the node's `_meta`.

        ComfyUI takes every key of the file for a node, so there is no other place in it.
        """
        told: list[str] = self.nodes[node]["_meta"].setdefault("lorakit", [])
        if message not in told:
            told.append(message)
        if all(one.message != message for one in self.said):
            found = Diagnostic("not-carried", message, place, hints=hints)
            self.said.append(found.as_warning())


def workflow(
    frames: Sequence[Action],
    saved: Iterable[str],
    loader: Loader,
    loras: Sequence[LoraFile],
    own: OwnSampling,
) -> Workflow:
    """The nodes that draw `frames`, what each starts from before it, and save those whose address is `saved`.

    `own` is how the model's configuration has it drawn.
    """
    made = Workflow()
    model, clip, vae = _loaded(made, loader)
    for lora in loras:
        node = made.node(
            "LoraLoader",
            f"adapter {lora.name}",
            lora_name=lora.file,
            strength_model=lora.weight,
            strength_clip=lora.weight,
            model=model,
            clip=clip,
        )
        model, clip = [node, 0], [node, 1]
        made.say(node, *lora.say)
    if own.predicts_v:
        node = made.node(
            "ModelSamplingDiscrete",
            "prediction",
            model=model,
            sampling="v_prediction",
            zsnr=own.zero_snr,
        )
        model = [node, 0]
    wanted, latents = set(saved), dict[str, Link]()
    for action in frames:
        task = action.task
        assert isinstance(task, FrameTask)
        ends = _encoded(made, task, clip, loader.family)
        start = _start(made, action, latents)
        sampler = _sampled(made, action, model, ends, start, own)
        latents[action.id] = [sampler, 0]
        if action.id in wanted:
            picture = made.node("VAEDecode", "picture", samples=[sampler, 0], vae=vae)
            name = action.files["picture"][0].removesuffix(".png")
            made.node("SaveImage", action.id, filename_prefix=name, images=[picture, 0])
    _say_of_seeds(made)
    return made


def _loaded(made: Workflow, loader: Loader) -> tuple[Link, Link, Link]:
    """The outputs that are the UNet, the text encoders and the VAE."""
    if loader.checkpoint:
        node = made.node("CheckpointLoaderSimple", "model", ckpt_name=loader.checkpoint)
        if loader.say:
            made.say(node, *loader.say)
        return [node, 0], [node, 1], [node, 2]
    unet = made.node("UNETLoader", "UNet", unet_name=loader.unet, weight_dtype="default")
    if len(loader.texts) == 1:
        kind = {"clip_name": loader.texts[0], "type": "stable_diffusion"}
        clip = made.node("CLIPLoader", "text encoder", **kind)
    else:
        first, second = loader.texts
        clip = made.node(
            "DualCLIPLoader", "text encoders", clip_name1=first, clip_name2=second, type="sdxl"
        )
    vae = made.node("VAELoader", "VAE", vae_name=loader.vae)
    if loader.say:
        made.say(unet, *loader.say)
    return [unet, 0], [clip, 0], [vae, 0]


def _encoded(made: Workflow, task: FrameTask, clip: Link, family: str) -> tuple[Link, Link]:
    if task.clip_skip:
        # what the layers are counted from: SDXL's own is the last but one
        layer = -(task.clip_skip + (FAMILIES[family].clip_layers or 0))
        stop = made.node("CLIPSetLastLayer", "clip skip", stop_at_clip_layer=layer, clip=clip)
        clip = [stop, 0]
    words = made.node("CLIPTextEncode", "prompt", text=_literal(task.prompt), clip=clip)
    none = made.node(
        "CLIPTextEncode", "negative prompt", text=_literal(task.negative_prompt), clip=clip
    )
    return [words, 0], [none, 0]


def _literal(prompt: str) -> str:
    """Words that mean themselves, but for their weights: other parentheses would weigh what is in them."""
    said = []
    for piece in pieces(prompt):
        words = piece.text.replace("(", "\\(").replace(")", "\\)")
        said.append(words if piece.weight == 1 else f"({words}:{piece.weight:g})")
    return "".join(said)


def _start(made: Workflow, action: Action, latents: Mapping[str, Link]) -> Link:
    """The latents that a frame begins from: none, another frame's, or those pulled towards an anchor's."""
    task = action.task
    assert isinstance(task, FrameTask)
    by_role = {one.role: one.action for one in action.inputs}
    if "start" not in by_role:
        size = {"width": task.width, "height": task.height}
        return [made.node("EmptyLatentImage", "size", **size, batch_size=1), 0]
    start = latents[by_role["start"]]
    if "anchor" not in by_role or not task.anchor_weight:
        return start
    blend = made.node(
        "LatentBlend",
        "anchor_weight",
        samples1=latents[by_role["anchor"]],
        samples2=start,
        blend_factor=task.anchor_weight,
    )
    return [blend, 0]


def _sampled(
    made: Workflow,
    action: Action,
    model: Link,
    ends: tuple[Link, Link],
    start: Link,
    own: OwnSampling,
) -> str:
    task = action.task
    assert isinstance(task, FrameTask)
    by_model = task.scheduler not in COMFY
    name = own.scheduler if by_model else task.scheduler
    karras = task.use_karras_sigmas
    if karras is None:
        karras = by_model and own.karras
    theirs = COMFY[name]
    # sgm_uniform is ComfyUI's name for steps that begin at the very last timestep
    steps_lie = "karras" if karras else "sgm_uniform" if own.trailing else theirs.scheduler
    node = made.node(
        "KSampler",
        action.id,
        seed=task.noise,
        steps=task.effective_steps if task.strength < 1 else task.num_inference_steps,
        cfg=task.guidance_scale,
        sampler_name=theirs.sampler,
        scheduler=steps_lie,
        denoise=denoise(task),
        model=model,
        positive=ends[0],
        negative=ends[1],
        latent_image=start,
    )
    if by_model and own.unknown:
        made.say(
            node,
            f"the model's own scheduler is a {own.unknown}, which has no name here: "
            f"{theirs.sampler} is written for it",
            action.place,
            "write scheduler: euler_discrete, which both have",
        )
    elif theirs.near:
        made.say(
            node,
            f"ComfyUI has no {name}: {theirs.sampler} is the nearest",
            action.place,
            "write scheduler: euler_discrete, which both have",
        )
    return node


def denoise(task: FrameTask) -> float:
    """How much KSampler shall redraw, so that its int(steps / denoise) is the steps that the frame is of."""
    if task.strength >= 1:
        return 1.0
    whole, taken = task.num_inference_steps, task.effective_steps
    if int(taken / task.strength) == whole:
        return task.strength
    share = taken / whole
    return share if int(taken / share) == whole else share * (1 - 1e-12)


def _say_of_seeds(made: Workflow) -> None:
    """Seeds are whole here and in the API; JavaScript has no whole numbers over 2^53."""
    over = [n for n, node in made.nodes.items() if node["inputs"].get("seed", 0) > 1 << 53]
    if over:
        made.say(
            over[0],
            "opened in ComfyUI's page, seeds over 2^53 are rounded, and the noise is another",
            None,
            "posted to /prompt as it is, the file keeps them",
        )
