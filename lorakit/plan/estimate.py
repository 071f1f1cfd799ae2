"""What a run would cost, from this machine's history, or from a first guess where there is none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from lorakit.facts.facts import Facts
from lorakit.facts.machine.this_machine import Machine
from lorakit.plan.actions import Action
from lorakit.plan.drawing_memory import PROCESS
from lorakit.plan.engine_specs import DrawingSpec
from lorakit.plan.states import Estimate, Planned
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.workers import TRAIN, WORKERS
from lorakit.store.canonical import digest_of

_PARENT_BYTES = 60 << 20  # what `lorakit run` itself weighs


def loading_name(action: Action) -> str:
    """Under which name the seconds that loading its engine takes are remembered."""
    return f"load|{action.engine.id}"


def begin_name(action: Action) -> str:
    """Under which name the seconds are remembered that a training takes before and after its steps."""
    return f"begin|{action.cost.timing}"


def memory_name(action: Action) -> str:
    """Under which name is remembered what a training took at its peak, as a share of what was counted."""
    return f"memory share|{action.cost.timing}"


def counted_memory(action: Action) -> int:
    """Bytes at the peak of one process as counted from shapes; 1 where they are not known."""
    return action.cost.memory or 1


def _guess(action: Action, machine: Machine) -> float:
    """Seconds a unit, where nothing like it was made here before."""
    cost = action.cost
    if not cost.operations:
        return cost.seconds
    speed = machine.kind.operations_a_second(
        cost.precision, machine.cores, fast_bf16=machine.fast_bf16
    )
    if not machine.kind.gpu and WORKERS[action.engine.slot].drops:
        speed /= machine.workers  # they share its cores
    return cost.operations / speed / cost.speedup


def _at_once(kind: str, todo: Sequence[Action], machine: Machine) -> int:
    """How many workers of a kind there is work for at once; one with several GPUs counts for as many."""
    if not WORKERS[kind].drops:
        several = machine.gpus if WORKERS[kind].torch else 1
        return max(1, min(several, sum(_gpus(a, machine) for a in todo if a.engine.slot == kind)))
    frames = {a.id for a in todo if a.engine.slot == kind}
    chains = sum(a.id in frames and not any(i.action in frames for i in a.inputs) for a in todo)
    return max(1, min(machine.workers, chains))


def _gpus(action: Action, machine: Machine) -> int:
    """How many GPUs its worker takes; 1 on a CPU."""
    if not machine.kind.gpu:
        return 1
    from lorakit.plan.tasks.training import TrainTask

    return action.task.train.processes if isinstance(action.task, TrainTask) else 1


def _together(todo: Sequence[Action], memory: Mapping[str, int], machine: Machine) -> int:
    """Bytes of the workers that may run at once: on a GPU they take turns (execute/turns.py)."""
    trainings = frozenset(a.id for a in todo if a.engine.slot == TRAIN.name)
    behind: dict[str, frozenset[str]] = {}  # the trainings that an action waits for
    apart = True
    for action in todo:
        earlier = frozenset().union(*(behind.get(i.action, frozenset()) for i in action.inputs))
        behind[action.id] = earlier | (trainings & {action.id})
        apart = apart and (not isinstance(action.task, FrameTask) or earlier == trainings)
    if not machine.kind.gpu and not apart:
        return sum(memory.values())
    return max(memory.values(), default=0)


def _downloads(facts: Facts) -> int:
    """What is still to be fetched of the models, in the hub's cache."""
    sizes = {model.source: model.download_bytes for model in facts.models.values()}
    return sum(sizes.values())


def peak_memory(action: Action, timings: Mapping[str, float]) -> int:
    """Bytes at the peak as counted, and as far as the last like it was from that here.

    Of all its processes where they share a machine's memory; a GPU has its own for each.
    """
    share = timings.get(memory_name(action), 1.0 if action.cost.memory else 0.0)
    return int(counted_memory(action) * share) * action.cost.processes


def _loads(action: Action) -> str:
    """What is loaded for an action: to wear other adapters takes no time, where an engine can."""
    spec = action.engine.spec
    if isinstance(spec, DrawingSpec) and spec.changes:
        return digest_of(spec.bare().key())
    return action.engine.id


def estimate(planned: Sequence[Planned], facts: Facts) -> Estimate:
    """Seconds, peak memory and disk of all that is to be made."""
    todo = [p.action for p in planned if p.state.to_make]
    # seconds by kind of worker: those of one that does everything, and of loading
    work: defaultdict[str, float] = defaultdict(float)
    loading: defaultdict[str, float] = defaultdict(float)
    disk, passing, measured = _downloads(facts) if todo else 0, 0, True
    memory: dict[str, int] = defaultdict(int)  # by worker
    loaded: set[str] = set()
    rates: dict[str, float] = {}
    for action in todo:
        cost, slot = action.cost, action.engine.slot
        if cost.timing not in rates:
            measured = measured and cost.timing in facts.timings
            rates[cost.timing] = facts.timings.get(cost.timing) or _guess(action, facts.machine)
        gpus = _gpus(action, facts.machine)
        work[slot] += rates[cost.timing] * action.units * gpus
        disk += cost.disk
        # checkpoints go when a training is done, and one is under way at a time
        passing = max(passing, cost.passing_disk)
        memory[slot] = max(memory[slot], peak_memory(action, facts.timings))
        worker = WORKERS[slot]
        if worker.begin:
            work[slot] += facts.timings.get(begin_name(action), worker.begin) * gpus
        if worker.loading and _loads(action) not in loaded:
            loaded.add(_loads(action))
            loading[slot] += facts.timings.get(loading_name(action), worker.loading)
    at_once = {slot: _at_once(slot, todo, facts.machine) for slot in work}
    seconds = {slot: work[slot] / at_once[slot] + loading[slot] for slot in work}
    if not facts.machine.kind.gpu:  # each GPU has its own
        memory = {slot: taken * at_once[slot] for slot, taken in memory.items()}
    peak = max(_PARENT_BYTES, _together(todo, memory, facts.machine)) if todo else 0
    return Estimate(sum(seconds.values()), peak, disk + passing, measured, seconds)


def host_memory(action: Action, timings: Mapping[str, float], machine: Machine) -> int:
    """Bytes of a machine's own memory that its worker takes: all of it, or what waits beside a card."""
    if not machine.kind.own_memory:
        return peak_memory(action, timings)
    mode = action.cost.mode
    return (PROCESS + (mode.beside if mode is not None else 0)) * _gpus(action, machine)
