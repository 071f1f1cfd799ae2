"""Tasks: what a worker is told of each thing it makes, as the planner and the worker both know it."""
