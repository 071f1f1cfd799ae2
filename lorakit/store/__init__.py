"""What was made, kept by content: objects, the actions that made them, locks, atomic writes."""
