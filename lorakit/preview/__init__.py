"""Data sets before a training: what each picture and text is to the step that will learn from it."""
