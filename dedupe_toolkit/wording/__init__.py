"""Every sentence of which commands and pages tell in their own words: the one table, by code."""

from __future__ import annotations

from .errors import ERRORS, OBSTACLES
from .notes import NOTES
from .reasons import REASONS
from .wording import Wording as Wording  # that of all sentences

WORDING = REASONS | NOTES | ERRORS | OBSTACLES
