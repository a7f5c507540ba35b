"""Sphinx configuration."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent))

import rooms

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_pyproject = tomllib.loads(
    (Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8")
)

project = "dedupe_toolkit"
author = "The dedupe_toolkit maintainers"
copyright = author  # noqa: A001
release = version = _pyproject["project"]["version"]

extensions = ["myst_parser"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"dedupe_toolkit {release}"
html_copy_source = False
html_show_sphinx = False


def setup(app: Sphinx) -> None:
    """Draw the rooms anew for each build."""
    app.connect("builder-inited", _draw_rooms)


def _draw_rooms(app: Sphinx) -> None:
    picture = Path(app.srcdir) / "explanation" / "rooms.svg"
    picture.write_text(rooms.drawing(), encoding="utf-8")
