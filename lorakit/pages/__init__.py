"""Pages a browser shows: a frozen `Page` of parts becomes one file of HTML that loads nothing.

`render(page)` is all there is to call; what a page may hold stands in `parts.py`.
"""

from lorakit.pages.render import render

__all__ = ["render"]
