"""Looking for duplicates among selected rows, however many: the action, and the choice of a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ..audit.memory import known_keys
from ..errors import DedupeError
from ..keys import match_key
from ..queue.selecting import select_rows, set_key
from ..verbose import user_name
from .choice import alias_of
from .fields import empty_form
from .known import digest, in_words
from .permissions import SCAN, has_right, may_change_and_delete
from .telling import told
from .urls import key_url, scan_url

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from ..models import Scan
    from ..values import MatchKey
    from .permissions import AnyAdmin


@admin.action(
    description=gettext_lazy("Find duplicates among selected %(verbose_name_plural)s"),
    permissions=["merge"],
)
def find_among_selected(
    model_admin: AnyAdmin, request: HttpRequest, queryset: QuerySet[Any]
) -> HttpResponse | None:
    """Keep the selected rows as a scan of their own, and carry it out, once its key is chosen."""
    if not (has_right(request, SCAN) and may_change_and_delete(model_admin, request)):
        raise PermissionDenied
    site, using = model_admin.admin_site, alias_of(queryset)
    try:
        keys = known_keys(using, model_admin.model)
        only = keys[0] if len(keys) == 1 else None
        scan = select_rows(queryset, key=only, using=using, by=user_name(request.user))
    except DedupeError as error:
        model_admin.message_user(request, told(error), messages.ERROR)
        return None
    return HttpResponseRedirect(f"{scan_url(site, scan)}#start" if only else key_url(site, scan))


class KeyForm(forms.Form):
    """Which of the known keys, or which fields, make rows duplicates."""

    def __init__(self, model_admin: AnyAdmin, request: HttpRequest, keys: tuple[MatchKey, ...]):
        super().__init__(request.POST if request.method == "POST" else None)
        self.model, self.keys = model_admin.model, {digest(key): key for key in keys}
        self.key: MatchKey | None = None
        unseen = empty_form(model_admin, request).unseen
        if keys:
            self.fields["key"] = forms.ChoiceField(
                choices=[(name, in_words(key)) for name, key in self.keys.items()],
                widget=forms.RadioSelect,
                required=False,
                label=_("A known key"),
            )
        self.fields["fields"] = forms.MultipleChoiceField(
            choices=[
                (field.name, str(capfirst(field.verbose_name)))
                for field in self.model._meta.concrete_fields
                if not field.primary_key and field.name not in unseen
            ],
            widget=forms.CheckboxSelectMultiple,
            required=False,
            label=_("Rows are duplicates if all of these are equal"),
        )
        self.fields["ignore_case"] = forms.BooleanField(required=False, label=_("Ignore case"))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        self.key = self.keys.get(cleaned.get("key") or "")
        if self.key is None:
            if not cleaned.get("fields"):
                raise forms.ValidationError(_("Choose what makes rows duplicates."))
            try:
                ignore_case = cleaned["ignore_case"]
                self.key = match_key(self.model, cleaned["fields"], ignore_case=ignore_case)
            except DedupeError as error:
                raise forms.ValidationError(told(error)) from None
        return cleaned


def key_page(
    site: AdminSite, request: HttpRequest, model_admin: AnyAdmin, scan: Scan
) -> HttpResponse:
    """Asks for the key of a selection; a POST sets it and goes on to the scan."""
    form = KeyForm(model_admin, request, known_keys(scan.using, model_admin.model))
    if request.method == "POST" and form.is_valid() and form.key:
        set_key(scan, form.key)
        return HttpResponseRedirect(f"{scan_url(site, scan)}#start")
    context = {
        **site.each_context(request),
        "title": _("What makes two %(rows)s duplicates?")
        % {"rows": model_admin.opts.verbose_name_plural},
        "form": form,
        "selected": scan.selected.count(),
        "rows_name": model_admin.opts.verbose_name_plural,
    }
    request.current_app = site.name
    return TemplateResponse(request, "dedupe_toolkit/choose_key.html", context)
