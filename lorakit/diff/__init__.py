"""Two states of a project side by side: what differs in the documents, and what a run would make of it."""
