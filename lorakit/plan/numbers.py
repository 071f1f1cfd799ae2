"""Numbers as people say them."""

from __future__ import annotations


def count(number: int, noun: str) -> str:
    """Name so many things: `1 frame`, `12,000 frames`, `2 films' pictures`."""
    if number != 1:
        noun = noun.replace("'s ", "s' ")
        noun += "" if noun.endswith("s") else "s"
    return f"{number:,} {noun}"


def amount(figure: float, noun: str) -> str:
    """Name an amount to three digits: `1 epoch`, `3.1 epochs`."""
    said = f"{figure:.3g}"
    return f"{said} {noun}{'' if said == '1' else 's'}"


def duration(seconds: float) -> str:
    """Say how long something took: `0.4 s`, `8 s`, `1 min 20 s`, `2 h 5 min`."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return _two(whole, 60, "min", "s")
    whole = round(whole / 60)
    return _two(whole, 60, "h", "min") if whole < 48 * 60 else f"{whole / 1440:.1f} days"


def _two(amount: int, base: int, large: str, small: str) -> str:
    rest = amount % base
    return f"{amount // base} {large}" + (f" {rest} {small}" if rest else "")


def about(seconds: float) -> str:
    """Say how long something may take, no more exactly than it is known: `about 40 s`."""
    if seconds < 1:
        return "under a second"
    step = next((s for limit, s in _STEPS if seconds < limit), 3600)
    return f"about {duration(max(step, round(seconds / step) * step)).replace('.0 s', ' s')}"


# below so many seconds, rounded to these
_STEPS = ((15, 1), (120, 5), (600, 30), (3600, 60), (36_000, 600))


def size(amount: float) -> str:
    """Say how many bytes: `512 B`, `3.4 MB`, `120 MB`."""
    if amount < 1000:
        return f"{round(amount)} B"
    for unit in ("kB", "MB", "GB", "TB"):
        amount /= 1000
        if amount < 999.5 or unit == "TB":
            break
    return f"{amount:.1f} {unit}" if amount < 9.95 else f"{amount:,.0f} {unit}"


def rate(per_second: float, noun: str) -> str:
    """Say how fast: `34 steps/s`, `1.2 steps/s`, and below one a second `12 s/step`."""
    if per_second <= 0:
        return ""
    if per_second < 1:
        return f"{duration(1 / per_second)}/{noun}"
    return f"{per_second:.1f} {noun}s/s" if per_second < 9.95 else f"{per_second:,.0f} {noun}s/s"
