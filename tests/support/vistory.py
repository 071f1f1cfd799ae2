"""A story in the layout of ViStoryBench's data set (github.com/ViStoryBench/vistorybench), with words of our own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PIL import Image

LOOKS = {
    "Tom": ("A small fox. He is red", "一只小狐狸。它是红色的。", (200, 80, 40)),
    "Old Owl": ("An old owl, brown and round.", "一只老猫头鹰。", (120, 90, 60)),
}
NAMES = {"Tom": "汤姆", "Old Owl": "老猫头鹰"}


def shot(index: int, plot: str, setting: str, appearing: list[str]) -> dict[str, Any]:
    """A shot with all keys that the benchmark's loader asks for."""
    return {
        "index": index,
        "Plot Correspondence": {"ch": f"第{index}幕。", "en": plot},
        "Setting Description": {"ch": f"{setting}。", "en": setting},
        "Shot Perspective Design": {"ch": "中景", "en": "Medium shot, eye level"},
        "Characters Appearing": {"ch": [NAMES.get(n, n) for n in appearing], "en": appearing},
        "Static Shot Description": {"ch": "站着。", "en": f"{' and '.join(appearing)} stand"},
    }


def story() -> dict[str, Any]:
    """Four shots: two in a forest, one without anybody, and one with both who are known."""
    return {
        "Story_type": {"en": "Fairy tale", "ch": "童话"},
        "Characters": {
            key: {
                "tag": "non_human",
                "name_ch": NAMES[key],
                "name_en": key,
                "prompt_ch": ch,
                "prompt_en": en,
                "num_of_appearances": 2,
            }
            for key, (en, ch, _) in LOOKS.items()
        },
        "Shots": [
            shot(1, "Tom finds a key {of gold}.", "In a forest, at night", ["Tom"]),
            shot(2, "Tom thinks of the Old Owl.", "In a forest, at night", ["Tom"]),
            shot(3, "The castle is empty.", "In a castle", []),
            shot(4, "Tom meets the owl.", "In a forest, at night", ["Tom", "Old Owl"]),
        ],
    }


def write_story(data_set: Path, told: Any, number: str = "01") -> Path:
    """A story's folder with `story.json` (with a mark of its encoding) and `image/CHARACTER/00.jpg`."""
    folder = data_set / number
    for key, (_, _, colour) in LOOKS.items():
        home = folder / "image" / key
        home.mkdir(parents=True)
        Image.new("RGB", (64, 64), colour).save(home / "00.jpg")
    text = told if isinstance(told, str) else json.dumps(told, indent=4, ensure_ascii=False)
    (folder / "story.json").write_text(text, "utf-8-sig")
    return folder
