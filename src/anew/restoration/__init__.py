"""How to undo damage: one folder per task, one file per method."""
