"""Which groups a user may merge without a look at each: a merge is no way around a form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, ExpressionWrapper, F, Q, TextField
from django.db.models.functions import Cast

from ..field_rules.fillers import FILL
from ..finding.named_keys import KeyText
from ..journal.key_texts import key_text, key_texts
from ..keys import is_text
from ..queue.examining import scan_policy
from ..queue.queued import first_rows, rows_of, texts_of_groups
from ..reviewing.unreadable import read_rows
from .deciding import allowed
from .fields import asks_about_rows, form_fields, is_hash
from .permissions import own_key
from .ruling import own_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from django.contrib.admin import AdminSite
    from django.db.models import Model, QuerySet
    from django.http import HttpRequest

    from ..models import QueuedGroup
    from ..values import MatchKey
    from .fields import FormFields
    from .permissions import AnyAdmin


def mergeable_unreviewed(
    site: AdminSite, request: HttpRequest, key: MatchKey, groups: list[QueuedGroup]
) -> tuple[list[QueuedGroup], frozenset[str]]:
    """Those of the groups, all of one scan, and the many-to-many fields that a form of them hides.

    Not those of the own account, whose page says what may become of it, nor those in which a
    field would change that the user cannot edit.
    """
    groups = allowed(site, request, key, groups)
    if not groups:
        return [], frozenset()
    using = groups[0].scan.using
    firsts = first_rows(key.model, groups, using)
    members, texts = rows_of(key, firsts, using), texts_of_groups(key, firsts, using)
    own = own_key(request, key.model, using)
    account = None if own is None else key_text(key.model, own, using)
    others = {first: those for first, those in texts.items() if account not in those}
    rows = members.filter(pk__in=firsts)
    forms = _forms(site.get_model_admin(key.model), request, members, rows, others)
    changed = set(_changed(key.model, members, texts, forms))
    found = [group for group in groups if group.row in forms and group.row not in changed]
    gone = [group for group in groups if group.row not in texts]
    links = frozenset().union(*(forms[group.row].links for group in found))
    return [*found, *gone], links


def _forms(
    model_admin: AnyAdmin,
    request: HttpRequest,
    members: QuerySet[Any],
    firsts: QuerySet[Any],
    texts: Mapping[str, list[str]],
) -> dict[str, FormFields]:
    """What the user may see and edit of each group, by the key of its first row."""
    if asks_about_rows(model_admin):
        rows = read_rows(members)
        keys = key_texts(members.model, [row.pk for row in rows], members.db)
        named = dict(zip(keys, rows, strict=True))
        return {
            first: form_fields(model_admin, request, [named[text] for text in those])
            for first, those in texts.items()
            if named.keys() >= set(those)
        }
    rows = read_rows(firsts)
    if not rows:
        return {}
    hashed = dict(_hashed(members))
    by_hashed: dict[frozenset[str], FormFields] = {}
    found: dict[str, FormFields] = {}
    for first, those in texts.items():
        names = frozenset().union(*(hashed.get(text, ()) for text in those))
        if names not in by_hashed:
            by_hashed[names] = form_fields(model_admin, request, rows[:1], names)
        found[first] = by_hashed[names]
    return found


def _hashed(members: QuerySet[Any]) -> Iterator[tuple[str, set[str]]]:
    """The rows with a password hash in a text field, by their keys, and the names of the fields."""
    model = members.model
    names = [field.name for field in model._meta.concrete_fields if is_text(field)]
    values = (Cast(F(name), TextField()) for name in names)
    for text, *held in members.order_by().values_list(KeyText(model), *values).iterator():
        hashes = {name for name, value in zip(names, held, strict=True) if is_hash(value)}
        if hashes:
            yield text, hashes


def _changed(
    model: type[Model],
    members: QuerySet[Any],
    texts: Mapping[str, list[str]],
    forms: Mapping[str, FormFields],
) -> Iterator[str]:
    """The groups, by their first rows, in which a merge would change a field that a form hides.

    A blank would be filled, or a declared rule makes a value of all of them. What else differs
    is held back by the merge itself.
    """
    kept = {first: own_columns(model, form.hidden) for first, form in forms.items()}
    names = sorted(set().union(*kept.values()))
    if not names:
        return
    rules = scan_policy(model).field_rules
    ruled = {name for name, rule in rules.items() if rule not in (FILL, "survivor")}
    blanks = [ExpressionWrapper(_blank(model, name), BooleanField()) for name in names]
    rows = members.order_by().values_list(KeyText(model), *blanks)
    held = {text: dict(zip(names, map(bool, said), strict=True)) for text, *said in rows}
    for first, own in kept.items():
        said = [held[text] for text in texts[first] if text in held]
        for name in own:
            found = {row[name] for row in said}
            if len(found) > 1 or (name in ruled and False in found):
                yield first
                break


def _blank(model: type[Model], name: str) -> Q:
    is_null = Q(**{f"{name}__isnull": True})
    return is_null | Q(**{name: ""}) if is_text(model._meta.get_field(name)) else is_null
