"""An app without models of its own: the proof gives it those that it draws."""
