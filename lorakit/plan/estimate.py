"""What a run would cost, from this machine's history, or from a first guess where there is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from lorakit.facts import unet_work
from lorakit.facts.facts import Facts
from lorakit.facts.machine import Machine
from lorakit.facts.models import ModelFacts
from lorakit.plan.actions import Action
from lorakit.plan.drawing_memory import drawing_bytes
from lorakit.plan.states import Estimate, Planned

_BEGIN = 20.0  # s: a process with torch to begin a training, another to load its result again
_FULLER = 1.8


def timing_name(action: Action) -> str:
    """Under which name the seconds a unit takes are remembered."""
    params = action.params
    if action.engine.slot == "train":
        return f"{action.kind}|{action.extra.get('timing')}"
    if action.engine.slot == "encode":
        return f"{action.kind}|{action.engine.id}|{params.get('width')}|{params.get('height')}"
    if action.engine.slot != "render":
        return f"{action.kind}|{params.get('height')}"
    return "|".join(
        str(params[name])
        for name in ("model", "width", "height", "precision", "device_class", "wave")
    )


def loading_name(action: Action) -> str:
    """Under which name the seconds that loading its engine takes are remembered."""
    return f"load|{action.engine.id}"


def begin_name(action: Action) -> str:
    """Under which name the seconds are remembered that a training takes before and after its steps."""
    return f"begin|{timing_name(action)}"


def memory_name(action: Action) -> str:
    """Under which name is remembered what a training took at its peak, as a share of what was counted."""
    return f"memory share|{timing_name(action)}"


def counted_memory(action: Action) -> float:
    """Bytes at the peak of a training as counted from its shapes; 1 where they are not known."""
    return float(str(action.extra.get("memory") or 1))


def _flops(machine: Machine, precision: str) -> float:
    """A low guess of floating-point operations a second."""
    if machine.device == "cuda":
        return 4e13 if precision != "fp32" else 1e13
    if machine.device == "mps":
        return 2e12
    return machine.cores * (7e10 if precision == "bf16" and machine.fast_bf16 else 4e10)


def _guess(action: Action, facts: Facts) -> float:
    """Seconds a unit: a training's own count, or the two passes of a step with guidance."""
    if action.engine.slot in ("train", "encode"):
        operations = float(str(action.extra.get("operations", 1e11)))
        precision = str(action.params.get("precision", "fp32"))
        # batches of texts, and an autoencoder, fill a CPU's matrix units better than a UNet does
        amx = facts.machine.device == "cpu" and facts.machine.fast_bf16 and precision == "bf16"
        fuller = amx and action.kind != "train-image"
        return operations / _flops(facts.machine, precision) / (_FULLER if fuller else 1.0)
    if action.engine.slot != "render":
        return 0.01
    model = _model(action, facts)
    width, height = int(str(action.params["width"])), int(str(action.params["height"]))
    positions = width * height / model.vae_factor**2
    operations = 2 * unet_work.of_model(model, positions)
    return operations / _flops(facts.machine, str(action.params["precision"]))


def _together(todo: Sequence[Action], memory: Mapping[str, int], machine: Machine) -> int:
    """Bytes of the workers that may run at once: on a GPU they take turns (execute/turns.py)."""
    trainings = frozenset(a.id for a in todo if a.engine.slot == "train")
    behind: dict[str, frozenset[str]] = {}  # the trainings that an action waits for
    apart = True
    for action in todo:
        found = frozenset().union(*(behind.get(i.action, frozenset()) for i in action.inputs))
        behind[action.id] = found | (trainings & {action.id})
        apart = apart and (action.engine.slot != "render" or found == trainings)
    if machine.device == "cpu" and not apart:
        return sum(memory.values())
    return max(memory.values(), default=0)


def _downloads(facts: Facts) -> int:
    """What is still to be fetched of the models, in the hub's cache."""
    sizes = {model.source: model.download_bytes for model in facts.models.values()}
    return sum(sizes.values())


def _drawing(action: Action, facts: Facts) -> int:
    params = action.params
    size = int(str(params["width"])), int(str(params["height"]))
    guided = float(str(params["guidance_scale"])) > 1
    return drawing_bytes(
        _model(action, facts),
        str(params["precision"]),
        size,
        int(str(params["wave"])),
        guided=guided,
    )


def _model(action: Action, facts: Facts) -> ModelFacts:
    """The model that an action draws with."""
    digest = action.params["model"]
    return next(model for model in facts.models.values() if model.digest == digest)


def training_memory(action: Action, timings: Mapping[str, float]) -> int:
    """Bytes at the peak of a training as counted, and as far as the last like it was from that here.

    Of all its processes where they share a machine's memory; a GPU has its own for each.
    """
    counted = counted_memory(action)
    share = timings.get(memory_name(action), 1.0 if counted > 1 else 0.0)
    return int(counted * share) * sharing(action)


def sharing(action: Action) -> int:
    """How many processes of a training share one memory."""
    settings = action.params.get("train")
    if action.extra.get("device") != "cpu" or not isinstance(settings, Mapping):
        return 1
    return int(settings["processes"])


def estimate(planned: Sequence[Planned], facts: Facts) -> Estimate:
    """Seconds, peak memory and disk of all that is to be made."""
    todo = [p.action for p in planned if p.state.to_make]
    seconds: defaultdict[str, float] = defaultdict(float)  # by worker
    disk, passing, measured = _downloads(facts) if todo else 0, 0, True
    memory: defaultdict[str, int] = defaultdict(int)  # by worker
    loaded: set[str] = set()
    drawn: set[tuple[object, ...]] = set()
    rates: dict[str, float] = {}
    for action in todo:
        name = timing_name(action)
        if name not in rates:
            measured = measured and name in facts.timings
            rates[name] = facts.timings.get(name) or _guess(action, facts)
        seconds[action.engine.slot] += rates[name] * action.units
        if action.engine.slot == "render":
            pixels = int(str(action.params["width"])) * int(str(action.params["height"]))
            disk += int(pixels * 1.6) + 4096
            if action.engine.id not in loaded:
                loaded.add(action.engine.id)
                seconds["render"] += facts.timings.get(loading_name(action), 6.0)
            sort = (action.engine.id, pixels, action.params["guidance_scale"])
            if sort not in drawn:
                drawn.add(sort)
                memory["render"] = max(memory["render"], _drawing(action, facts))
        elif action.engine.slot == "train":
            seconds["train"] += facts.timings.get(begin_name(action), _BEGIN)
            disk += int(str(action.extra.get("disk", 0)))
            # checkpoints go when a training is done, and one is under way at a time
            passing = max(passing, int(str(action.extra.get("passing_disk", 0))))
            memory["train"] = max(memory["train"], training_memory(action, facts.timings))
        elif action.engine.slot == "encode":
            disk += int(str(action.extra.get("disk", 0)))
        else:
            disk += 40_000 * max(1, action.units // 24)
    peak = max(60 << 20, _together(todo, memory, facts.machine)) if todo else 0
    return Estimate(sum(seconds.values()), peak, disk + passing, measured, dict(seconds))
