"""The admin: merge or dismiss the rows selected on any change list, read the journal, undo.

Importing this, as Django's autodiscovery does, installs all of it on the default admin site.
"""

from __future__ import annotations

from django.contrib import admin

from ..models import DismissedGroup, MergeRun, RowChange
from .actions import merge_selected
from .changes import RowChangeAdmin
from .dismissing import DismissedGroupAdmin
from .permissions import allow_per_model_admin
from .runs import MergeRunAdmin

__all__ = ["install"]


def install(site: admin.AdminSite) -> None:
    """Add "Merge selected …" to every change list of an admin site, and the journal to its index,
    with the dismissed groups.

    The default site has them already; call it once for each site of your own.
    """
    site.add_action(merge_selected, "merge_selected")
    site.register(MergeRun, MergeRunAdmin)
    site.register(RowChange, RowChangeAdmin)
    site.register(DismissedGroup, DismissedGroupAdmin)


allow_per_model_admin()
install(admin.site)
