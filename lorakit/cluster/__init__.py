"""Workers on other machines: the worker process that runs here runs there, and files go by content."""
