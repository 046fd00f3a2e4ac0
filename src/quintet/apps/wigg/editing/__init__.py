"""Edit Graph Mode: edit sessions, painting, undo and redo."""
