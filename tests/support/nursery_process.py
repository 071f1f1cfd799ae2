"""A process that has imported the large libraries, and forks for each child that it is asked to begin.

`nursery.py` starts it with the address of a socket. Each connection brings the words of one child and its three
files; the child's id and, at its end, how it ended go back. It has run nothing before it forks, and ends with
its parent.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import runpy
import selectors
import socket
import sys
import traceback
from pathlib import Path
from typing import Any

from huggingface_hub import constants

LIBRARIES = {
    "torch": "",
    "accelerate": "",
    "peft": "",
    "moviepy": "",
    "diffusers": "AutoencoderKL DDIMScheduler DDPMScheduler StableDiffusionPipeline "
    "StableDiffusionXLPipeline UNet2DConditionModel",
    "transformers": "AutoModelForSequenceClassification AutoTokenizer BertForSequenceClassification "
    "CLIPTextModel CLIPTextModelWithProjection CLIPTokenizer",
}
# where workers, and the checks of what was trained, have their modules
OURS = ("lorakit.facts", "lorakit.models", "lorakit.rendering", "lorakit.training")


def import_libraries() -> None:
    """Import what workers import of others, under the settings that they give it."""
    from lorakit.execute import worker

    worker._quiet()
    for module, names in LIBRARIES.items():
        imported = importlib.import_module(module)
        for name in names.split():
            getattr(imported, name)  # diffusers and transformers import it now only
    for package in OURS:
        for module in pkgutil.walk_packages(
            importlib.import_module(package).__path__, f"{package}."
        ):
            importlib.import_module(module.name)


def become(told: dict[str, Any], files: list[int]) -> None:
    """Be the child: its files, folder, environment and words are those of a process that Python began."""
    for number, file in enumerate(files):
        os.dup2(file, number)
    os.closerange(3, 1024)
    if told["session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(told["environment"])
    importlib.reload(constants)  # the environment says where the hub and its caches are
    os.chdir(told["folder"])
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115
    module, *words = told["words"]
    sys.argv = [module, *words]
    sys.modules.pop(module, None)
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def begin(asked: socket.socket) -> int:
    """Fork for one connection; the child's id, 0 where none was asked for."""
    data, files, _, _ = socket.recv_fds(asked, 1 << 20, 3)
    while not data.endswith(b"\n"):
        more = asked.recv(1 << 20)
        if not more:  # who asked is gone, or wanted to know whether anybody listens
            return 0
        data += more
    child = os.fork()
    if child:
        for file in files:
            os.close(file)
        asked.sendall(f"{child}\n".encode())
        return child
    code = 1
    try:
        become(json.loads(data), files)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - as Python itself would end
        traceback.print_exc()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


def main() -> None:
    """Serve until standard input closes."""
    sys.path.append(str(Path(__file__).parents[2]))
    door = socket.socket(socket.AF_UNIX)
    door.bind(sys.argv[1])
    door.listen(64)
    from tests.support import nursery

    nursery.install(sys.argv[1])  # for the children of those that are forked
    import_libraries()
    gc.collect()
    gc.freeze()  # those that are forked need not go through the libraries again
    waits = selectors.DefaultSelector()
    waits.register(0, selectors.EVENT_READ)
    waits.register(door, selectors.EVENT_READ)
    while True:
        for key, _ in waits.select():
            if key.fileobj == 0:
                return
            if key.fileobj is door:
                asked, _ = door.accept()
                child = begin(asked)
                if not child:
                    asked.close()
                    continue
                waits.register(os.pidfd_open(child), selectors.EVENT_READ, (child, asked))
                continue
            child, asked = key.data
            waits.unregister(key.fileobj)
            os.close(key.fd)
            _, status = os.waitpid(child, 0)
            with contextlib.suppress(OSError):  # nobody waits for it any more
                asked.sendall(f"{status}\n".encode())
            asked.close()


if __name__ == "__main__":
    main()
