"""Pages: every text is escaped, and the policy names what runs and nothing else."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest

from lorakit.pages.links import link, token
from lorakit.pages.parts import (
    Compare,
    Curve,
    Document,
    Fact,
    FactList,
    Film,
    Finding,
    Measure,
    Measures,
    Other,
    Page,
    PagePicture,
    PageTable,
    Paragraph,
    PictureStrip,
    Reason,
    Reasons,
    Section,
    Series,
    Single,
)
from lorakit.pages.render import render

HOSTILE = [
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "]]><svg onload=alert(1)>",
    'x" onmouseover="alert(1)',
    "x' onfocus='alert(1)' autofocus='",
    "javascript:alert(1)",
    "{{ 7*7 }}{% raw %}",
    "--><iframe srcdoc='<script>alert(1)</script>'>",
    "\u202egnp.exe",
    "nul\0bel\x07 half\ud800",
    "&lt;b&gt; &#60;script>",
    "`${alert(1)}`",
]


def everything(text: str) -> Page:
    """A page whose every text is this one, with every part there is."""
    picture = PagePicture(
        text,
        text,
        text,
        text,
        text,
        [Fact(text, text, "main")],
        (8, 8),
        "made",
        text,
        token(text),
    )
    missing = PagePicture(text, "", text)
    parts = [
        PictureStrip([picture, missing], text, text, text, token(text)),
        Film(text, text, text, text, (8, 8)),
        Single(text, text, text),
        PageTable(
            text, ["", text], [[text, text], ["", text]], frozenset({1}), frozenset({0}), text
        ),
        Curve(text, [Series(text, [(1, 2), (3, 4)]), Series(text, [(1, 1)], "dots")], text, text),
        Measures([Measure(text, 1, 2, text, text)], text),
        Finding("error", text, text, text, text, 1, 3, 4, [text]),
        FactList([Fact(text, text)], text),
        Reasons(text, text, [Reason(text, text, "made", "", [text])]),
        Document(text, text.split("\n"), "doc-1", text),
        Paragraph(text),
        Compare(text, [(text, text)], [Other(text, text, [f"{text}2"], [False])]),
    ]
    section = Section("s", text, parts, text, text)
    return Page(
        text, text, [section], text, text, "made", [Fact(text, text)], Film(text, text), text
    )


class Elements(HTMLParser):
    """What a browser would make of a text: elements with their attributes, and the scripts' bodies."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.bodies: dict[str, list[str]] = {"script": [], "style": []}
        self._in = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        self._in = tag
        if tag in self.bodies:
            self.bodies[tag].append("")

    def handle_data(self, data: str) -> None:
        if self._in in self.bodies:
            self.bodies[self._in][-1] += data

    def handle_endtag(self, tag: str) -> None:
        self._in = ""


def shape(text: str) -> list[tuple[str, tuple[str, ...]]]:
    """The elements and the names of their attributes."""
    return [
        (tag, tuple(attributes)) for tag, attributes in Elements(render(everything(text))).found
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_changes_what_elements_a_page_has(text: str) -> None:
    # a path that begins with a bar would be no link: none of these does
    assert shape(text) == shape("plain")


@pytest.mark.parametrize("text", HOSTILE)
def test_links_lead_to_files_below_the_page_or_to_places_on_it(text: str) -> None:
    for tag, attributes in Elements(render(everything(text))).found:
        for name in ("href", "src", "poster"):
            value = attributes.get(name)
            if value and tag != "meta":
                # the page's icon is none, so that a browser asks for none
                leads = (tag, value) != ("link", "data:,")
                assert not leads or value.startswith(("./", "#")), (tag, name, value)


def test_a_link_is_the_file_and_no_scheme() -> None:
    assert link("film/a b#c?d%.png") == "./film/a%20b%23c%3Fd%25.png"
    assert link("javascript:alert(1)") == "./javascript%3Aalert%281%29"
    assert link("../001/x.png") == "./../001/x.png"
    assert link("//evil.example/x") == link("/etc/passwd") == link("") == ""
    assert link("half\udcff.png") == "./half%FF.png"


def test_ids_differ_where_texts_do() -> None:
    texts = ["a b", "a_b", "a-b", "a/b", "ab", "A b", "\xe9", "e\u0301", "_", "__", "_5f_"]
    assert len({token(text) for text in texts}) == len(texts)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]+", token(text)) for text in texts)


def test_the_policy_names_what_runs_by_its_hash_and_lets_nothing_else() -> None:
    elements = Elements(render(everything("x")))
    policy = next(
        a["content"] or ""
        for tag, a in elements.found
        if a.get("http-equiv") == "Content-Security-Policy"
    )
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    for name, bodies in elements.bodies.items():
        digests = [hashlib.sha256(body.encode()).digest() for body in bodies]
        wanted = [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]
        assert rules[f"{name}-src"].split() == wanted
    assert rules["default-src"] == "'none'"
    assert "unsafe" not in policy
    assert not re.search(r"https?:|\*", policy)
    assert "connect-src" not in rules
    names = [name for _, attributes in elements.found for name in attributes]
    assert not [name for name in names if name.startswith("on") or name == "style"]


def test_a_page_may_ask_its_own_server_only_where_it_says_so() -> None:
    assert "connect-src &#39;self&#39;" in render(Page("t", "h", [], connect=True))


def test_the_same_page_is_the_same_text() -> None:
    assert render(everything("x")) == render(everything("x"))


def test_marks_of_direction_are_shown_in_names_and_held_within_sentences() -> None:
    text = render(
        Page("t", "h", [Section("s", "t", [Document("a\u202eb", ["c\u202ed"], "doc-1")])])
    )
    assert "\u202e" not in text
    assert "a\\u202eb" in text
