"""A pull request's comment shows texts of others, and obeys none of them."""

from __future__ import annotations

import pytest

from lorakit.ui.diff_markdown import escaped


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "@everyone look",
        "fixes #12",
        "[a](javascript:alert(1))",
        "https://example.org www.example.org",
        "a | b | c",
        "`code` **bold** _it_ ~~gone~~ $x$",
        "![x](y.png)",
        "&lt;b&gt;",
        "line\nbreak\n# heading",
        "\u202egnp.exe",
        "\x1b[31mred",
    ],
)
def test_nothing_in_a_text_is_markdown_html_a_mention_or_a_link(text: str) -> None:
    import re

    shown = escaped(text)
    assert "\n" not in shown
    assert shown.isprintable()
    bare = re.sub(r"\\[\\`*_{}\[\]()!|~$^]|&(?:amp|lt|gt|#64|#35|#58|#46);", "", shown)
    assert not set(bare) & set("<>@#|`*_[]()!~$&"), shown
    assert not re.search(r":(?=\S)", shown)
    assert "www." not in shown
