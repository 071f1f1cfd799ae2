"""Many kills and flipped bytes in little time: `python -m tests.soak kills film --count 1000`."""
