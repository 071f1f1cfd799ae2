"""Trainings on pictures and on texts against the loops that people copy, one after the other.

    python benchmarks/training.py

Runs training_image.py and training_text.py; what is compared stands in each. On an idle machine only.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> None:
    for title, script in (("pictures", "training_image.py"), ("texts", "training_text.py")):
        print(f"-- {title}", flush=True)
        subprocess.run([sys.executable, str(HERE / script)], check=True)


if __name__ == "__main__":
    main()
