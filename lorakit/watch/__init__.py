"""`lorakit watch`: a document is run again whenever it, or what it leads to, is saved; a page shows it.

`files.py` says which files that are, and when one was saved; `rounds.py` reads, plans and runs; `shown.py` is
what the page shows; `server.py` hands it to a browser on this machine, and to nobody else.
"""
