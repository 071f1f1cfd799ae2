"""Documents: from YAML text to frozen dataclasses. Pure but for a `Reader` handed in."""
