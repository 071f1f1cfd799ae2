"""Pages a browser shows: a frozen `Page` of parts becomes one file of HTML that loads nothing.

`render.py` makes it; what a page may hold stands in `parts.py`.
"""
