"""YAML with places: texts, the trees read from them, the schema they are held against, and what is wrong."""
