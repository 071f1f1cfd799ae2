"""What concerns a whole project: what is out of date in it, what its store may let go, what is amiss."""
