"""The examples of docs/cluster.md: read by YAML and by bash, with the keys that their schemas require."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lorakit.cluster.settings import ray_settings, slurm_settings

PAGE = Path(__file__).parents[3] / "docs" / "cluster.md"


def blocks(language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found
    return found


def example(key: str) -> dict[str, Any]:
    (found,) = [one for one in map(yaml.safe_load, blocks("yaml")) if key in one]
    return found


def parsed_by_bash(text: str) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("no bash here")
    subprocess.run([bash, "-n"], input=text, text=True, check=True)


def test_what_is_written_into_the_users_config_is_understood(tmp_path: Path) -> None:
    configs = [text for text in blocks("yaml") if text.startswith("cluster:")]
    assert len(configs) == 2
    for number, text in enumerate(configs):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text)
        assert ray_settings(path).cpus
        assert slurm_settings(path).time


def test_scripts_are_bash() -> None:
    (job,) = [text for text in blocks("bash") if "#SBATCH" in text]
    # sbatch reads its options before the first command alone
    lines = job.splitlines()
    assert all(line.startswith("#") for line in lines[: 1 + job.count("#SBATCH")])
    parsed_by_bash(job)
    for text in blocks("sh"):
        parsed_by_bash(text)


# fields as they are published: sky/utils/schemas.py of SkyPilot, ray-operator/apis/ray/v1/raycluster_types.go of KubeRay
SKY = {
    "task": {"name", "num_nodes", "resources", "workdir", "setup", "run", "envs", "file_mounts"},
    "resources": {"accelerators", "use_spot", "cpus", "memory", "disk_size", "image_id", "ports"},
}
KUBERAY = {
    "spec": {"headGroupSpec", "workerGroupSpecs", "rayVersion", "enableInTreeAutoscaling"},
    "head": {"rayStartParams", "template"},
    "worker": {"groupName", "minReplicas", "maxReplicas", "rayStartParams", "template"},
    "worker, if one likes": {"replicas", "numOfHosts", "scaleStrategy"},
}


def test_the_sky_is_a_task_of_skypilots() -> None:
    task = example("num_nodes")
    assert set(task) <= SKY["task"]
    assert set(task["resources"]) <= SKY["resources"]
    assert isinstance(task["resources"]["accelerators"], str)
    assert isinstance(task["resources"]["use_spot"], bool)
    assert task["num_nodes"] == 4
    parsed_by_bash(task["run"])
    parsed_by_bash(task["setup"])


def test_the_kubernetes_cluster_has_what_kuberay_requires() -> None:
    cluster = example("apiVersion")
    assert (cluster["apiVersion"], cluster["kind"]) == ("ray.io/v1", "RayCluster")
    assert set(cluster) == {"apiVersion", "kind", "metadata", "spec"}
    assert set(cluster["spec"]) <= KUBERAY["spec"]
    head, (workers,) = cluster["spec"]["headGroupSpec"], cluster["spec"]["workerGroupSpecs"]
    assert set(head) == KUBERAY["head"]
    assert KUBERAY["worker"] <= set(workers)
    assert set(workers) <= KUBERAY["worker"] | KUBERAY["worker, if one likes"]
    assert workers["minReplicas"] <= workers["replicas"] <= workers["maxReplicas"] == 4
    for group in (head, workers):
        # they are given to `ray start`, which takes texts
        assert all(isinstance(value, str) for value in group["rayStartParams"].values())
        (container,) = group["template"]["spec"]["containers"]
        assert container["image"]
        assert all(isinstance(v, str) for v in container["resources"]["limits"].values())
