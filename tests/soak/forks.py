"""Processes of lorakit that begin as forks of one which has imported everything already.

To import torch and diffusers takes each process five seconds, and to draw three frames half of one. A soak
needs thousands of processes that are killed, so here each begins where imports end: with
its own pipes, environment and `sys.argv`, in the very `main` that a fresh process would call.
"""

from __future__ import annotations

import gc
import importlib
import os
import pkgutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from lorakit import children

ROLES = {
    "lorakit.execute.worker": "",  # the slot's name
    "lorakit.training.rank_process": "rank",
    "lorakit.training.reload": "reload",
}
_EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link"}
# libraries import these when they are first asked for
_CLASSES = {
    "diffusers": "StableDiffusionPipeline UNet2DConditionModel AutoencoderKL DDIMScheduler DDPMScheduler",
    "transformers": "CLIPTextModel CLIPTokenizer CLIPTokenizerFast BertModel BertTokenizerFast AutoModel "
    "AutoTokenizer AutoModelForSequenceClassification BertForSequenceClassification",
    "peft": "LoraConfig get_peft_model PeftModel",
}
_real = subprocess.Popen


class Death:
    """What ends a process by SIGKILL just before its n-th deed on the disk; once, whoever comes first.

    `role` is the parent, a worker by its slot's name, a rank, or the check of what was saved.
    """

    def __init__(self, home: Path, role: str, at: int, notes: Path) -> None:
        self.role, self._at, self._notes = role, at, notes
        self._home, self._count = str(home), 0
        self.own = ""

    def hear(self, event: str, values: tuple[Any, ...]) -> None:
        if event not in _EVENTS or not values or not self.own:
            return
        place = os.fspath(values[0]) if isinstance(values[0], str | os.PathLike) else ""
        place = place if isinstance(place, str) else os.fsdecode(place)
        if not place.startswith(self._home) and Path(place).is_absolute():
            return
        own, self.own = self.own, ""  # what is done here is no deed of theirs
        self._count += 1
        if not self.role:
            with (self._notes / own).open("ab") as counted:
                counted.write(b".")
        elif own == self.role and self._count >= self._at:
            try:
                os.close(os.open(self._notes / "died", os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                return  # once
            os.kill(os.getpid(), signal.SIGKILL)
        self.own = own

    def begin(self, role: str) -> None:
        self.own, self._count = role, 0


death: Death | None = None


def fork(
    main: Callable[[], object],
    argv: list[str],
    *,
    role: str,
    pipes: tuple[int, int, int],
    env: Mapping[str, str] | None = None,
) -> int:
    """Begin a process that calls `main`; returns its id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        for number, descriptor in enumerate(pipes):
            if descriptor not in (-1, number):
                os.dup2(descriptor, number)
        os.closerange(3, 256)
        if env is not None:
            os.environ.clear()
            os.environ.update(env)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv = argv
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        sys.stdout = open(1, "w", closefd=False, buffering=1)  # noqa: SIM115
        sys.stderr = open(2, "w", closefd=False, buffering=1)  # noqa: SIM115
        if death is not None:
            death.begin(role)
        main()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:  # noqa: BLE001 - it is told, and the process ends
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


class Popen(_real):  # type: ignore[type-arg, misc, valid-type]
    """subprocess.Popen, but for our own modules, which are forked."""

    def _execute_child(self, args: Any, *rest: Any) -> None:
        command = [args] if isinstance(args, str) else list(args)
        if command[1:4] != children.python("x")[1:4]:
            super()._execute_child(args, *rest)
            return
        module, *words = command[5:]
        env, pipes = rest[5], rest[9:15]
        self.pid = fork(
            lambda: importlib.import_module(module).main(),
            [module, *words],
            role=ROLES[module] or words[0],
            pipes=(pipes[0], pipes[3], pipes[5]),
            env=env,
        )
        self._child_created = True
        self._close_pipe_fds(*pipes)


def prepare() -> None:
    """Import what any process of ours imports, and start ours as forks from here on."""
    import lorakit

    ours = [one.name for one in pkgutil.walk_packages(lorakit.__path__, "lorakit.")]
    others = "torch diffusers transformers peft accelerate moviepy datasets pyarrow filelock reflink_copy"
    for name in [*ours, *others.split()]:
        if not name.endswith("__main__"):
            importlib.import_module(name)
    from lorakit.facts.machine import environment
    from lorakit.facts.machine import this_machine as machine

    machine._cores = lambda: 1  # type: ignore[assignment]  # no pool of threads, which no fork would have
    environment.environment()  # versions, which are kept
    for library, classes in _CLASSES.items():
        for name in classes.split():
            getattr(importlib.import_module(library), name)
    from transformers import conversion_mapping

    conversion_mapping.get_checkpoint_conversion_mapping("clip_text_model")  # cached from here on
    sys.addaudithook(lambda event, values: death.hear(event, values) if death is not None else None)
    subprocess.Popen = Popen  # type: ignore[misc]
    gc.collect()
    gc.freeze()
