"""Models of a migration's own state: what is, and what is not, to be seen from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.apps import apps

if TYPE_CHECKING:
    from django.db.models import Model

CONTENT_TYPES = ("contenttypes", "contenttype")


def knows_content_types(model: type[Model]) -> bool:
    """Whether models that a model lives among may have generic keys."""
    if not apps.is_installed("django.contrib.contenttypes"):
        return False
    if not is_frozen(model):
        return True
    # a state knows apps by their labels alone
    return CONTENT_TYPES[1] in model._meta.apps.all_models.get(CONTENT_TYPES[0], {})


def is_frozen(model: type[Model]) -> bool:
    """Whether a migration made this model, as it once was: without methods and managers."""
    return model._meta.apps is not apps


def project_model(model: type[Model]) -> type[Model] | None:
    """The model of the project that a migration's model once was, if there still is one."""
    options = model._meta
    found = apps.all_models.get(options.app_label, {}).get(str(options.model_name))
    return found if found is None or not found._meta.swapped else None
