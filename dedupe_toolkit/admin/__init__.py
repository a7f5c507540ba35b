"""The admin: merge or dismiss the rows selected on any change list, read the journal, undo.

Importing this, as Django's autodiscovery does, installs all of it on the default admin site.
"""

from __future__ import annotations

from django.contrib import admin

from ..models import DismissedGroup, MergeRun, QueuedGroup, RowChange, Scan
from .actions import merge_selected
from .changes import RowChangeAdmin
from .dismissing import DismissedGroupAdmin
from .on_change_pages import DuplicatesMixin
from .permissions import allow_per_model_admin
from .queue import QueuedGroupAdmin
from .runs import MergeRunAdmin
from .scans import ScanAdmin
from .selecting import find_among_selected

__all__ = ["DuplicatesMixin", "install"]


def install(site: admin.AdminSite) -> None:
    """Add "Merge selected …" and "Find duplicates among selected …" to every change list of a site,
    and to its index the overview of duplicates, the queue, the journal and the verdicts.

    The default site has them already; call it once for each site of your own.
    """
    site.add_action(merge_selected, "merge_selected")
    site.add_action(find_among_selected, "find_among_selected")
    site.register(Scan, ScanAdmin)
    site.register(QueuedGroup, QueuedGroupAdmin)
    site.register(MergeRun, MergeRunAdmin)
    site.register(RowChange, RowChangeAdmin)
    site.register(DismissedGroup, DismissedGroupAdmin)


allow_per_model_admin()
install(admin.site)
