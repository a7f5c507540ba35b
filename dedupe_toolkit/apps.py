from __future__ import annotations

from django.apps import AppConfig
from django.core.checks import Tags, register
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class DedupeToolkitConfig(AppConfig):
    name = "dedupe_toolkit"
    verbose_name = _("Duplicates")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from . import checks, transforms

        transforms.register()
        register(checks.check_declarations, Tags.models)
        register(checks.check_relations, Tags.models)
        register(checks.check_databases, Tags.database)
        autodiscover_modules("dedupe")
