"""Draw the pictures of README.md anew, after the studio's weights changed: python docs/make_pictures.py [NAME ...].

Each is what a recipe of ours makes, as it comes: the contact sheet of a film, four of its stills side by
side, the sheet of a comparison. The training of `hologram` takes some minutes; look at all of them.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from PIL import Image

import lorakit

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
STILL, GAP = 300, 6  # px
SHEET_WIDTH = 560  # px, of the comparison


def run(recipe: str, project: Path) -> Path:
    """Run a recipe of ours in a project of its own; the folder of what it made."""
    (project / ".lorakit").mkdir()
    for name in ("recipes", "storyboards"):
        shutil.copytree(ROOT / name, project / name, dirs_exist_ok=True)
    done = lorakit.load(project / "recipes" / f"{recipe}.yaml").run()
    if done.folder is None:
        raise RuntimeError(f"{recipe} made nothing: {done}")
    return Path(done.folder)


def contact_sheet(made: Path) -> Image.Image:
    """The sheet of a film."""
    return Image.open(made / "film" / "contact_sheet.png").convert("RGB")


def stills(made: Path, *places: tuple[int, int]) -> Image.Image:
    """Frames side by side, each by its scene's number and its own."""
    row = Image.new("RGB", (len(places) * (STILL + GAP) - GAP, STILL), "white")
    for number, (scene, frame) in enumerate(places):
        (file,) = (made / "film" / f"frames_scene_{scene}").glob(f"frame_{frame:03}*.png")
        still = Image.open(file).convert("RGB").resize((STILL, STILL), Image.Resampling.LANCZOS)
        row.paste(still, (number * (STILL + GAP), 0))
    return row


def comparison(made: Path) -> Image.Image:
    """Prompts drawn without an adapter and with it."""
    (file,) = (made / "side_by_side").glob("*.png")
    sheet = Image.open(file).convert("RGB")
    height = round(sheet.height * SHEET_WIDTH / sheet.width)
    return sheet.resize((SHEET_WIDTH, height), Image.Resampling.LANCZOS)


DRAWN: Mapping[str, tuple[str, Callable[[Path], Image.Image]]] = {
    "quickstart.png": ("quickstart", contact_sheet),
    "alien-explorer.webp": (
        "alien-explorer",
        lambda made: stills(made, (1, 2), (2, 2), (3, 1), (4, 1)),
    ),
    "gurukul.webp": ("gurukul", lambda made: stills(made, (1, 1), (2, 1), (3, 1), (4, 1))),
    "hologram.png": ("bootcamp-image", comparison),
}


def main() -> None:
    """Draw what the command line names, or all."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(DRAWN))
    parser.add_argument("--into", type=Path, default=PICTURES, help="folder of the pictures")
    args = parser.parse_args()
    if unknown := set(args.names) - set(DRAWN):
        parser.error(f"no picture {', '.join(sorted(unknown))}; there are {', '.join(DRAWN)}")
    args.into.mkdir(parents=True, exist_ok=True)
    for name in args.names or DRAWN:
        recipe, drawn = DRAWN[name]
        with tempfile.TemporaryDirectory() as folder:
            picture = drawn(run(recipe, Path(folder)))
            picture.save(args.into / name, quality=90, method=6)
        print(f"{args.into / name}: {picture.width}x{picture.height}", flush=True)


if __name__ == "__main__":
    main()
