"""From a page's data to its HTML: all is escaped, and where it were not, a policy lets nothing of it run."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from importlib import resources
from typing import TYPE_CHECKING

from lorakit.pages import curve, links
from lorakit.terminal import visible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jinja2 import Environment

    from lorakit.pages.parts import Compare, Page

_FONTS = (("Inter", "inter", "100 900"), ("Newsreader", "newsreader", "200 800"))
# what HTML cannot hold, and half pairs, which UTF-8 cannot
_UNHELD = dict.fromkeys((*range(9), 11, *range(14, 32), 127), "�")
_UNHELD |= dict.fromkeys(range(55296, 57344), "�")


def _held(value: object) -> object:
    """What an expression of a template came to, without characters that no page may hold."""
    if type(value) is str and not value.isprintable():
        return value.translate(_UNHELD)
    return value


@functools.cache
def _asset(name: str) -> str:
    return resources.files("lorakit.pages").joinpath("assets", name).read_text("utf-8")


@functools.cache
def _fonts() -> str:
    """The faces, as part of the page: it looks the same everywhere and asks nobody for them."""
    folder = resources.files("lorakit.pages").joinpath("assets", "fonts")
    rules = []
    for family, file, weights in _FONTS:
        data = base64.b64encode(folder.joinpath(f"{file}.woff2").read_bytes()).decode()
        rules.append(
            f"@font-face{{font-family:{family};font-weight:{weights};font-display:swap;"
            f"src:url(data:font/woff2;base64,{data}) format('woff2')}}"
        )
    return "".join(rules)


@functools.cache
def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _policy(styles: Iterable[str], scripts: Iterable[str], *, connect: bool) -> str:
    """What the page may do: show pictures and films that lie beside it, and run what is named by its hash."""
    beside = "'self' file: data:"
    rules = {
        "default-src": "'none'",
        "style-src": " ".join(map(_hash, styles)),
        "script-src": " ".join(map(_hash, scripts)),
        "img-src": beside,
        "media-src": beside,
        "font-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    if connect:
        rules["connect-src"] = "'self'"
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def _compared(compare: Compare) -> str:
    """What the slider needs, as JSON.

    Of each picture of another run: 0 for none, 1 for the same, 2 for another at the same path, or its path.
    """
    others = []
    for other in compare.others:
        told: list[int | str] = []
        for (_, src), path, same in zip(compare.frames, other.pictures, other.same, strict=True):
            told.append(
                0 if not path else 1 if same else 2 if path == src else links.link(path)[2:]
            )
        others.append({"name": other.name, "folder": links.link(other.folder), "pictures": told})
    frames = [[name, links.link(src)[2:]] for name, src in compare.frames]
    return json.dumps({"name": compare.name, "frames": frames, "others": others})


@functools.cache
def _environment() -> Environment:
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("lorakit.pages", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=_held,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        link=links.link, token=links.token, visible=visible, figure=curve.number, compared=_compared
    )
    made.globals.update(chart=curve.chart)
    return made


def render(page: Page) -> str:
    """A whole page of HTML in one text, pure: the same page is the same text."""
    from markupsafe import Markup

    styles = [_fonts(), _asset("style.css")]
    head = _asset("theme.js")
    scripts = [_asset("page.js"), *(_asset(name) for name in page.scripts)]
    policy = _policy(styles, [head, *scripts], connect=page.connect)
    return (
        _environment()
        .get_template("page.html")
        .render(
            page=page,
            policy=policy,
            styles=[Markup(text) for text in styles],  # noqa: S704 - ours
            head=Markup(head),  # noqa: S704 - ours
            scripts=[Markup(text) for text in scripts],  # noqa: S704 - ours
        )
    )


def fragment(template: str, **values: object) -> str:
    """A piece of HTML for a page of others, as a notebook is: escaped as ours are, without scripts."""
    return _environment().get_template(template).render(**values)
