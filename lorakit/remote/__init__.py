"""A team's cache: results by key and content, in a place that several machines read and write."""
