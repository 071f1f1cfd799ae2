"""Run folders as a run leaves them, of any size and with any names: the record, the manifest, the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

# names and words that would like to be more than that
HOSTILE = (
    "<script>alert(1)</script>",
    "</style></script><img src=x onerror=alert(2)>",
    "javascript:alert(3)",
    "]]><svg onload=alert(4)>",
    'x" onmouseover="alert(5)" autofocus onfocus=\'alert(6)\'',
    "--><iframe srcdoc='<script>alert(7)</script>'>",
    "\u202egnp.\u2066x",
    "{{ 7 * 7 }} ${alert(8)}",
    "http://evil.example/x.png",
    "//evil.example/y.png",
)


def frame(step: str, scene: str, number: int, words: str, file: str, **told: Any) -> dict[str, Any]:
    """A frame as the record tells of it."""
    return {
        "id": f"{step}/{scene}/{number}",
        "step": step,
        "group": scene,
        "kind": "frame",
        "label": words,
        "state": "new",
        "reason": "",
        "place": ["board.yaml", number, 9],
        "files": {"picture": [file]},
        "frame": {
            "prompt": f"a picture of {words}",
            "negative_prompt": words,
            "seed": 7,
            "strength": 0.7,
            "steps": 20,
            "effective_steps": 14,
            "guidance_scale": 5.0,
            "scheduler": "default",
            "size": [64, 64],
            "from": [f"{step}/{scene}/1"] if number > 1 else [],
        },
        **told,
    }


def sheet(step: str, title: str, rows: list[tuple[str, list[tuple[str, str]]]]) -> dict[str, Any]:
    """The contact sheet of a step, which says what its scenes are called and what their frames tell."""
    return {
        "id": f"{step}/contact-sheet",
        "step": step,
        "group": "",
        "kind": "contact-sheet",
        "label": "contact sheet",
        "state": "new",
        "reason": "",
        "place": None,
        "files": {"sheet": [f"{step}/contact_sheet.png"]},
        "title": title,
        "rows": [{"title": t, "pictures": [list(p) for p in pictures]} for t, pictures in rows],
    }


def run_folder(
    folder: Path,
    actions: list[dict[str, Any]],
    documents: dict[str, str] | None = None,
    *,
    outcome: str = "made",
    detail: str = "",
) -> Path:
    """Write a run's record, manifest, events and pictures."""
    folder.mkdir(parents=True)
    recipe = folder.parent.name
    record = {
        "lorakit": 1,
        "recipe": recipe,
        "began": "2026-11-26T10:36:00+00:00",
        "machine": "CPU, 2 cores",
        "environment": {"python": "3.11.7"},
        "estimate": {"seconds": 10.0, "memory": 1, "disk": 1, "measured": True},
        "warnings": [],
        "notes": {},
        "documents": documents or {"board.yaml": "storyboard: 1\n"},
        "actions": actions,
    }
    (folder / "record.json").write_bytes(json.dumps(record).encode())
    number = int(folder.name)
    told = [
        {
            "id": a["id"],
            "kind": a["kind"],
            "outcome": outcome,
            "outputs": {"picture": f"{n if n % 3 else n + number:064x}"},
            "files": [],
        }
        for n, a in enumerate(actions)
    ]
    manifest = {"recipe": recipe, "ending": "done", "seconds": 12.5, "actions": told}
    (folder / "manifest.json").write_bytes(json.dumps(manifest).encode())
    ends = [
        {"type": "action-finished", "action": a["id"], "outcome": outcome, "detail": detail}
        for a in actions
    ]
    last = {"type": "run-finished", "ending": "done", "seconds": 12.5, "calls": {"unet": 48}}
    (folder / "run.log").touch()
    (folder / "events.jsonl").write_text("".join(json.dumps(e) + "\n" for e in [*ends, last]))
    for n, action in enumerate(actions):
        for path in (p for paths in action["files"].values() for p in paths):
            target = folder / path
            if path.startswith("/") or "\0" in path:
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (64, 64), (n * 40 % 256, 90, 160)).save(target, "PNG")
    return folder


def film(folder: Path, scenes: int, frames: int) -> Path:
    """A run of one storyboard: so many scenes of so many frames."""
    actions, rows = [], []
    for s in range(1, scenes + 1):
        row = []
        for n in range(1, frames + 1):
            words = f"The fox finds key number {n} of room {s} and wonders who left it there"
            path = f"film/frames_scene_{s}/frame_{n:03d}.png"
            actions.append(frame("film", f"room-{s}", n, words, path))
            row.append((actions[-1]["id"], words))
        rows.append((f"{s}. in room {s}", row))
    actions.append(sheet("film", "The fox and the keys", rows))
    text = "storyboard: 1\nscenes:\n" + "".join(
        f"  - setting: in room {s}\n" for s in range(scenes)
    )
    return run_folder(folder, actions, {"board.yaml": text})


def hostile(folder: Path) -> Path:
    """A run whose every name, sentence, file and document is an attack."""
    actions: list[dict[str, Any]] = []
    rows = []
    for n, words in enumerate(HOSTILE, 1):
        step = words.replace("/", "")
        path = f"{words.strip('/')}.png"
        actions.append(
            frame(step, "one", 1, words, path, state="changed", reason=f"{words} ({words}:1:2)")
        )
        actions[-1]["place"] = [words, 1, 1]
        rows = [(f"{n}. {words}", [(actions[-1]["id"], words)])]
        actions.append(sheet(step, words, rows))
    documents = {words: "\n".join(HOSTILE) for words in HOSTILE}
    return run_folder(folder, actions, documents, detail=HOSTILE[0])
