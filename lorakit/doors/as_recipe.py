"""What another tool drew, as a recipe, and as a storyboard where pictures begin from each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lorakit import terminal
from lorakit.doors import found_files
from lorakit.doors.fitted import facts_of, fitted
from lorakit.doors.generations import Generation, settings_of
from lorakit.doors.written import Quoted, as_yaml

_STUDIO = "lorakit:studio"


@dataclass(slots=True)
class Written:
    """The documents by file name, the recipe first, and what could not be carried."""

    files: dict[str, str]
    notes: list[str] = field(default_factory=list)
    adapters: bool = False


def written(
    drawn: Sequence[Generation], name: str, source: str, folder: Path, *, adapters: bool = True
) -> Written:
    """Documents called after `name`, of what `source` says; files they name are looked for below `folder`.

    A storyboard is written where a picture begins from another. Without `adapters` none are worn.
    """
    first = drawn[0]
    model, notes = _model(first, folder)
    facts = facts_of(model if model.startswith(("hub:", "lorakit:")) else str(folder / model))
    if facts is None:
        notes.append(f"model {first.model}: {model} cannot be read")
        model, facts = _STUDIO, facts_of(_STUDIO)
    assert facts is not None
    fit = fitted(drawn, facts)
    worn, paths, more = _adapters(fit, folder, adapters=adapters)
    shared = [note for note in fit[0].notes if all(note in one.notes for one in fit)]
    notes += shared
    for number, one in enumerate(fit, 1):
        which = f"picture {number}: " if len(fit) > 1 else ""
        notes += [f"{which}{note}" for note in dict.fromkeys(one.notes) if note not in shared]
        if one.model != first.model:
            notes.append(f"{which}model {one.model}")
    notes += more
    recipe: dict[str, Any] = {"recipe": 1}
    if model != _STUDIO:
        recipe["models"] = {"model": {"from": Quoted(model)}}
    if paths:
        recipe["adapters"] = {short: {"from": Quoted(path)} for short, path in paths.items()}
    files: dict[str, str] = {}
    if any(one.start is not None for one in fit):
        board = f"{name}-board.yaml"
        step: dict[str, Any] = {"kind": "storyboard", "storyboard": Quoted(board)}
        if worn[0]:
            step["adapters"] = worn[0]
        recipe["steps"] = {"film": step}
        files[board] = _head(source, []) + as_yaml(_board(fit, notes))
    else:
        recipe["steps"] = dict(_steps(fit, worn))
    notes = [_plain(note) for note in dict.fromkeys(notes)]
    return Written(
        {f"{name}.yaml": _head(source, notes) + as_yaml(recipe), **files}, notes, bool(paths)
    )


def _model(first: Generation, folder: Path) -> tuple[str, list[str]]:
    if not first.model:
        return _STUDIO, ["the model: the file names none, so lorakit's small one draws"]
    found = found_files.model(first.model, folder)
    if found is None:
        words = (
            f"model {first.model}: it is not here, so lorakit's small one draws; put it beside this "
            "file as .safetensors, and write models: {model: {from: that file}}"
        )
        return _STUDIO, [words]
    return found, []


def _adapters(
    drawn: Sequence[Generation], folder: Path, *, adapters: bool
) -> tuple[list[dict[str, float]], dict[str, str], list[str]]:
    """What each wears, the adapters' files by name, and which are not here."""
    paths: dict[str, str] = {}
    notes: list[str] = []
    worn: list[dict[str, float]] = []
    for one in drawn:
        mine: dict[str, float] = {}
        for theirs, weight in one.loras:
            short, path = found_files.short(theirs), found_files.lora(theirs, folder)
            if path is None or not adapters or paths.get(short, path) != path:
                why = "it is not here" if path is None else "it cannot be worn"
                notes.append(
                    f"adapter {theirs}: {why}; as a .safetensors file beside this one: adapters: "
                    f"{{{short}: {{from: that file}}}}, and in the step adapters: {{{short}: {weight:g}}}"
                )
                continue
            paths[short] = path
            mine[short] = weight
        worn.append(mine)
    return worn, paths, notes


def _steps(
    drawn: Sequence[Generation], worn: Sequence[dict[str, float]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """A step of `generate` for all that are drawn alike."""
    alike: dict[str, tuple[dict[str, Any], list[Any]]] = {}
    for one, mine in zip(drawn, worn, strict=True):
        look: dict[str, Any] = {"adapters": mine} if mine else {}
        look |= dict(settings_of(one))
        if one.copies > 1:
            look["images_per_prompt"] = one.copies
        alike.setdefault(repr(look), (look, []))[1].append(_prompt(one))
    for number, (look, prompts) in enumerate(alike.values(), 1):
        name = "pictures" if number == 1 else f"pictures_{number}"
        yield name, {"kind": "generate", **look, "prompts": prompts}


def _prompt(one: Generation) -> Any:
    more: dict[str, Any] = {}
    if one.negative_prompt:
        more["negative_prompt"] = Quoted(one.negative_prompt)
    if one.seed is not None:
        more["seed"] = one.seed
    return {"text": Quoted(one.prompt), **more} if more else Quoted(one.prompt)


def _board(drawn: Sequence[Generation], notes: list[str]) -> dict[str, Any]:
    """A storyboard: what begins from nothing begins a scene, and what begins from its pictures goes on."""
    scenes: list[list[int]] = []
    where: dict[int, int] = {}
    for at, one in enumerate(drawn):
        if one.start is None:
            scenes.append([])
            where[at] = len(scenes) - 1
        else:
            where[at] = where[one.start]
        scenes[where[at]].append(at)
    told = []
    for number, members in enumerate(scenes, 1):
        look = {
            key: value
            for key, value in settings_of(drawn[members[0]])
            if key not in ("num_inference_steps", "guidance_scale")
        }
        scene: dict[str, Any] = {"name": f"scene_{number}"}
        scene |= {"look": look} if look else {}
        if len(members) > 1:
            scene["chain"] = _chain(drawn, members, f"scene_{number}", notes)
        told.append({**scene, "sentences": [_sentence(drawn[at]) for at in members]})
    return {"storyboard": 1, "scenes": told, "video": {"fps": 24, "hold": 1.5}}


def _chain(
    drawn: Sequence[Generation], members: Sequence[int], scene: str, notes: list[str]
) -> dict[str, Any]:
    first, *others = members
    starts = [drawn[at].start for at in others]
    if all(start == first for start in starts) and all(drawn[at].anchor is None for at in others):
        return {"from": "anchor"}
    if starts != list(members[:-1]):
        notes.append(f"{scene}: some pictures begin from others than the one before")
    # a chain's second picture has nothing to be pulled to but what it begins from
    pulls = {(drawn[at].anchor, drawn[at].anchor_weight) for at in members[2:]}
    anchor, weight = pulls.pop() if len(pulls) == 1 else (None, 0.0)
    if pulls or (anchor is not None and anchor != first):
        notes.append(f"{scene}: its pictures are pulled towards others, each its own way")
        return {"from": "previous"}
    return {"from": "previous", **({"anchor_weight": weight} if weight else {})}


def _sentence(one: Generation) -> dict[str, Any]:
    escaped = one.prompt.replace("{", "{{").replace("}", "}}")
    told: dict[str, Any] = {"text": Quoted(escaped[:4000]), "prompt": Quoted(escaped)}
    told |= {k: v for k, v in _prompt_settings(one) if v not in (None, "")}
    return told


def _prompt_settings(one: Generation) -> Iterator[tuple[str, Any]]:
    yield "negative_prompt", Quoted(one.negative_prompt)
    yield "seed", one.seed
    yield "num_inference_steps", one.steps
    yield "guidance_scale", one.guidance_scale
    yield "strength", one.strength if one.start is not None else None


def _plain(note: str) -> str:
    """A note in a line that no text of others can leave."""
    return terminal.line(" ".join(note.split()))[:400]


def _head(source: str, notes: Sequence[str]) -> str:
    lines = [f"Imported from {_plain(source)} by lorakit import."]
    if notes:
        lines += ["What could not be carried:", *(f"- {note}" for note in notes)]
    lines.append("Pictures will be alike, not the same: what noise a seed stands for differs.")
    return "".join(f"# {line}\n" for line in lines)
