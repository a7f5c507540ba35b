"""An audit in the shapes that people and programs read, one module each."""

from __future__ import annotations

from enum import StrEnum


class AuditFormat(StrEnum):
    """What ``--format`` takes."""

    TABLE = "table"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    GITLAB = "gitlab"
