"""Editing a project's own files: its models, its migrations."""
