"""A migrated project of its own, for the cases that end in a migration."""

from __future__ import annotations

from tests.test_make_unique import project, template

__all__ = ["project", "template"]
