"""What a machine says of its GPUs, found out without torch."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import lorakit
from lorakit.diagnostics import InvalidDocument
from lorakit.execute import seats
from lorakit.facts.machine import nvidia
from lorakit.facts.machine import this_machine as machine
from lorakit.facts.machine.this_machine import Machine, MachineError


@pytest.fixture
def gpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """A driver's tool that tells what it is given, and a torch that was built for a version of CUDA."""

    def forget() -> None:
        for cached in (
            nvidia.installed,
            nvidia._uuids,
            nvidia._instances,
            machine._memory,
            machine.this_machine,
        ):
            cached.cache_clear()

    def tell(
        *rows: str,
        uuids: tuple[str, ...] = (),
        code: int = 0,
        cuda: str = "13.0",
        listed: str = "",
    ) -> None:
        """Rows of name, compute capability, MiB; what `-L` lists."""
        tool = tmp_path / "nvidia-smi"
        tool.write_text(
            f"#!{sys.executable}\nimport sys\n"
            f"rows = {list(uuids)!r} if '--query-gpu=uuid' in sys.argv else {list(rows)!r}\n"
            f"print({listed!r} if '-L' in sys.argv else '\\n'.join(rows))\nsys.exit({code})\n"
        )
        tool.chmod(0o755)
        build = tmp_path / "torch"
        build.mkdir(exist_ok=True)
        told = f"'{cuda}'" if cuda else "None"
        (build / "version.py").write_text(f"cuda: Optional[str] = {told}\n")
        (build / "__init__.py").touch()
        spec = importlib.machinery.ModuleSpec("torch", None, origin=str(build / "__init__.py"))
        find = importlib.util.find_spec
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name: spec if name == "torch" else find(name)
        )
        monkeypatch.setenv("PATH", str(tmp_path))
        forget()

    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("LORAKIT_DEVICE", raising=False)
    yield tell
    forget()


H100, T4 = "NVIDIA H100, 9.0, 81559", "Tesla T4, 7.5, 15360"
UUIDS = ("GPU-aaaa-1", "GPU-aabb-2")


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        (None, ["NVIDIA H100", "Tesla T4"]),
        ("", []),
        ("-1", []),
        ("1", ["Tesla T4"]),
        ("1,0", ["Tesla T4", "NVIDIA H100"]),
        ("0,7,1", ["NVIDIA H100"]),  # what stands behind one that is not there is not seen
        ("0,0", ["NVIDIA H100"]),
        ("GPU-aabb", ["Tesla T4"]),
        ("GPU-aa", []),  # it may be either
        ("GPU-aaaa-1,1", ["NVIDIA H100", "Tesla T4"]),
        ("none", []),
    ],
)
def test_cuda_visible_devices_is_read_as_cuda_does(
    gpus: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    visible: str | None,
    names: list[str],
) -> None:
    gpus(H100, T4, uuids=UUIDS)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert [gpu.name for gpu in nvidia.visible()] == names
    found = machine.this_machine()
    if not names:
        assert found.device == "cpu"
        (remark,) = found.remarks
        assert "computes on the CPU" in remark
        assert f"CUDA_VISIBLE_DEVICES={visible} hides it" in remark
        return
    # others than the first would compute other bits
    assert (found.device, found.name, found.gpus) == ("cuda", names[0], 1)
    assert found.fast_bf16 is (names[0] == "NVIDIA H100")
    assert found.memory == (15360 if names[0] == "Tesla T4" else 81559) << 20
    unlike = [f"uses {names[0]} alone, and not {other}" for other in names[1:]]
    assert [told in remark for told, remark in zip(unlike, found.remarks, strict=True)] == [
        True
    ] * len(unlike)


FOUR = ("GPU-a", "GPU-b", "GPU-c", "GPU-d")


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        (
            None,
            ["GPU-a", "GPU-b", "GPU-d"],
        ),  # as the driver's tool counts, whatever CUDA's order is
        ("3, 0", ["3", "0"]),
        ("GPU-d,1,2", ["GPU-d", "1"]),
        ("1", []),  # there is nothing to choose
    ],
)
def test_several_gpus_alike_are_a_worker_s_each(
    gpus: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    visible: str | None,
    names: list[str],
) -> None:
    gpus(H100, H100, T4, H100, uuids=FOUR)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = machine.this_machine()
    many = len(names) or 1
    assert (found.gpus, found.workers, found.gpu_names) == (many, many, tuple(names))
    homes = [seats.seat("render", n, (n,), found) for n in range(many)]
    assert [one.gpus for one in homes] == [(name,) for name in names] or not names
    assert [one.name for one in homes] == (
        [f"render {n + 1}" for n in range(many)] if names else ["render"]
    )
    assert found.gpus_together == many
    pair = seats.seat("train", 0, tuple(range(many)), found)
    assert pair.gpus == tuple(names)
    assert seats.seat("assemble", 0, (), found).gpus == ()
    monkeypatch.setenv("LORAKIT_WORKERS", "1")
    assert found.workers == 1
    monkeypatch.setenv("LORAKIT_WORKERS", str(many + 1))
    with pytest.raises(MachineError, match="more workers than there are GPUs"):
        _ = found.workers


# as a driver of version 535 lists a divided GPU beside a whole one
LISTED = """GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-aaaa-1)
  MIG 3g.20gb     Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
  MIG 3g.20gb     Device  1: (UUID: MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb)
  MIG 1g.5gb+me   Device  2: (UUID: MIG-1e3f3f44-0000-5b25-b243-5985ef7c9beb)
GPU 1: NVIDIA A100-SXM4-40GB (UUID: GPU-aabb-2)"""
LARGE_1, LARGE_2, SMALL = (
    "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f",
    "MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb",
    "MIG-1e3f3f44-0000-5b25-b243-5985ef7c9beb",
)
A100 = "NVIDIA A100-SXM4-40GB"


@pytest.mark.parametrize(
    ("visible", "name", "memory", "names"),
    [
        (None, f"{A100} MIG 3g.20gb", 20 * 10**9, (LARGE_1, LARGE_2)),
        (f"{LARGE_2},{LARGE_1}", f"{A100} MIG 3g.20gb", 20 * 10**9, (LARGE_2, LARGE_1)),
        (SMALL, f"{A100} MIG 1g.5gb+me", 5 * 10**9, ()),
        (f"{LARGE_1},{LARGE_1}", f"{A100} MIG 3g.20gb", 20 * 10**9, ()),
        ("0", f"{A100} MIG 3g.20gb", 20 * 10**9, ()),
        ("1", A100, 40960 << 20, ()),
        ("MIG-ffffffff", "", 0, ()),
    ],
)
def test_each_instance_of_a_divided_gpu_is_a_worker_s(
    gpus: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    visible: str | None,
    name: str,
    memory: int,
    names: tuple[str, ...],
) -> None:
    whole, divided = f"{A100}, 8.0, 40960, 40000, Disabled", f"{A100}, 8.0, 40960, 0, Enabled"
    gpus(divided, whole, uuids=("GPU-aaaa-1", "GPU-aabb-2"), listed=LISTED)
    if visible is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    found = machine.this_machine()
    if not name:
        assert found.device == "cpu"
        assert f"CUDA_VISIBLE_DEVICES={visible} hides it" in found.remarks[0]
        return
    assert (found.device, found.name, found.memory) == ("cuda", name, memory)
    assert (found.gpus, found.gpu_names) == (len(names) or 1, names)
    assert found.gpus_together == 1
    assert found.card is not None
    assert 0 < found.card.free <= found.card.memory
    homes = [seats.seat("render", n, (n,), found).gpus for n in range(found.gpus)]
    assert homes == ([(one,) for one in names] or [()])


def test_several_on_a_cpu_have_as_many_threads_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A convolution's last bits go by their number."""
    monkeypatch.setattr(machine, "_cores", lambda: 4)
    here = Machine("cpu", "cpu-test", "CPU", fast_bf16=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")  # as a user may
    assert seats.seat("render", 0, (), here).threads == 3
    monkeypatch.delenv("OMP_NUM_THREADS")
    one = seats.seat("render", 0, (), here)
    monkeypatch.setenv("LORAKIT_WORKERS", "2")
    two = seats.seat("render", 1, (), here)
    assert (one.name, two.name) == ("render", "render 2")
    assert one.threads == two.threads == 4
    assert two.beside
    assert not one.beside
    assert seats.count("train", here) == seats.count("encode", here) == 1


@pytest.mark.parametrize(
    ("rows", "code", "cuda", "says"),
    [
        ([H100], 0, "", "was built for the CPU alone"),
        (["NVIDIA GeForce GTX 970, 5.2, 4096"], 0, "13.0", "begins at 7.5"),
        (["Tesla K20, 3.5, 5120"], 0, "12.6", "begins at 5"),
        (["NVIDIA-SMI has failed because it couldn't communicate"], 9, "13.0", "has failed"),
    ],
)
def test_a_gpu_that_cannot_be_used_is_told_and_not_passed_over(
    gpus: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    rows: list[str],
    code: int,
    cuda: str,
    says: str,
) -> None:
    gpus(*rows, code=code, cuda=cuda)
    found = machine.this_machine()
    assert found.device == "cpu"
    assert says in found.remarks[0]
    monkeypatch.setenv("LORAKIT_DEVICE", "cuda")
    machine.this_machine.cache_clear()
    with pytest.raises(MachineError, match=says):
        machine.this_machine()
    # who asks for the CPU is told nothing
    monkeypatch.setenv("LORAKIT_DEVICE", "cpu")
    machine.this_machine.cache_clear()
    assert machine.this_machine().remarks == ()


@pytest.mark.parametrize("wanted", ["cuda", "mps", "gpu", "CUDA "])
def test_a_device_that_is_not_here_is_an_error(
    gpus: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    gpus()
    (tmp_path / "nvidia-smi").unlink()
    monkeypatch.setenv("LORAKIT_DEVICE", wanted)
    with pytest.raises(MachineError, match="LORAKIT_DEVICE=") as raised:
        machine.this_machine()
    assert raised.value.hints
    board = tmp_path / "board.yaml"
    board.write_text("storyboard: 1\nscenes: [{sentences: [a fox]}]\n")
    with pytest.raises(InvalidDocument, match=r"error\[machine\]: LORAKIT_DEVICE="):
        lorakit.load(board).plan()


def test_a_machine_without_a_gpu_has_nothing_to_tell(
    gpus: Callable[..., None], tmp_path: Path
) -> None:
    gpus()
    (tmp_path / "nvidia-smi").unlink()
    assert machine.this_machine().remarks == ()
    assert Machine("cpu", "cpu-test", "CPU", fast_bf16=False).gpus == 0


def test_the_plan_says_why_a_gpu_is_not_used(gpus: Callable[..., None], tmp_path: Path) -> None:
    gpus(H100, cuda="")
    board = tmp_path / "board.yaml"
    board.write_text("storyboard: 1\nscenes: [{sentences: [a fox]}]\n")
    warnings = lorakit.load(board).plan().warnings
    assert any(w.code == "machine" and "NVIDIA H100" in w.message for w in warnings)


def test_which_card_it_was_is_recorded_beside_results_and_in_no_key(
    gpus: Callable[..., None],
) -> None:
    from lorakit.facts.machine import environment
    from lorakit.plan.workers import RENDER

    found = {}
    for name in ("NVIDIA H100", "Tesla T4"):
        gpus(f"{name}, 9.0, 81559, 81000")
        nvidia.driver.cache_clear()
        environment.environment.cache_clear()
        found[name] = (machine.this_machine(), environment.environment())
    environment.environment.cache_clear()
    nvidia.driver.cache_clear()
    (first, then), (second, now) = found.values()
    assert first.device_class == second.device_class == "cuda-without-tf32"
    assert (then["gpu"], now["gpu"]) == ("NVIDIA H100", "Tesla T4")
    told = environment.differences(then, now, RENDER.packages)
    assert told[0] == "gpu NVIDIA H100 -> Tesla T4"
    assert first.card is not None
    assert (first.card.memory, first.card.free) == (81559 << 20, 81000 << 20)
