"""The app: its name, its system checks, and the declarations of other apps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from collections.abc import Callable


def _check(name: str) -> Callable[..., Any]:
    """The system check of that name. What checks need is imported when they run."""

    def check(**options: Any) -> Any:
        from . import checks

        return getattr(checks, name)(**options)

    return check


class DedupeToolkitConfig(AppConfig):
    name = "dedupe_toolkit"
    verbose_name = _("Duplicates")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import conf, transforms

        transforms.register()
        register(_check("check_declarations"), Tags.models)
        register(_check("check_relations"), Tags.models)
        register(_check("check_databases"), Tags.database)
        register(_check("check_unique_rules"), Tags.database)
        autodiscover_modules("dedupe")
        if conf.guard_is_on():
            from .guard.starting import start

            start()
