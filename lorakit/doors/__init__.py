"""Doors to other tools: a story as subtitles, a list, an editor's timeline or pages; pictures' workflows."""
