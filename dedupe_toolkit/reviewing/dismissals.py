"""A person's verdict that rows are not duplicates, and its taking back. Writes verdicts only."""

from __future__ import annotations

from collections import defaultdict
from itertools import islice
from types import NoneType
from typing import TYPE_CHECKING

from django.db import connections, transaction
from django.db.models import Q

from ..arguments import MOST_ROWS, checking_arguments, require_kind
from ..databases.tables import pk_names, require_table
from ..errors import InvalidOption
from ..finding.comparing import comparing
from ..finding.dismissed_groups import about, family
from ..finding.key_rows import candidates, key_columns, repeated
from ..finding.named_keys import KeyText
from ..finding.whole_texts import whole_texts
from ..keys import check_alias
from ..mapping.groups import named_rows, require_rows
from ..models import DismissedGroup, DismissedRow
from ..references.meta import concrete
from ..values import MatchKey, RowSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import Model

_AT_ONCE = 1000
"""The verdicts that one statement writes, as many as stay small in memory."""


@checking_arguments
def dismiss(
    rows: RowSet,
    *,
    key: MatchKey | None = None,
    using: str = "default",
    by: str = "",
    note: str = "",
) -> DismissedGroup:
    """Dismiss a group: keep a person's verdict that these rows are not duplicates of each other.

    With ``key`` the verdict is about that match key, without about every key of the model. From
    then on a group is no longer offered if all its rows are among these. ``by`` and ``note`` say
    who gave the verdict and why. Earlier verdicts that this one repeats are replaced by it, but
    those for which another person gave a reason.

    Writes nothing but the verdict. Raises `InvalidOption` for rows that are not there, or that
    are not equal on the key; `InvalidMatchKey` for an unknown alias, or a model or verdicts whose
    tables are not in that database.
    """
    check_alias(using)
    require_kind("dismiss()", rows, RowSet, "rows: row_set(Model, [primary keys])")
    require_kind("dismiss(by=…)", by, str, "a name")
    require_kind("dismiss(key=…)", key, (MatchKey, NoneType), "a match key or None")
    require_table(rows.model, using)
    require_table(DismissedRow, using)
    require_rows(rows, using)
    named = named_rows(rows, using).order_by(*pk_names(rows.model))
    texts = list(named.values_list(KeyText(rows.model), flat=True))
    if key is not None:
        _require_equal(rows, key, using)
    fields = about(key.fields if key else ())
    with transaction.atomic(using=using):
        _delete_repeated(rows.model, fields, [texts], by, using)
        label = concrete(rows.model)._meta.label
        group = DismissedGroup(model=label, fields=fields, by=by, note=note)
        _insert([group], [texts], using)
    return group


def dismiss_groups(
    model: type[Model],
    fields: Iterable[str],
    groups: Iterable[Sequence[str]],
    *,
    using: str = "default",
    by: str = "",
    note: str = "",
) -> None:
    """The same verdict on many groups of a model, each given by the keys of its rows as text.

    It is about the match key of these ``fields``, or about every key where there are none. Earlier
    verdicts that it repeats are replaced, but not another person's reasons. All groups or none.
    Writes nothing else; holds a thousand groups in memory at most.
    """
    label, key_fields = concrete(model)._meta.label, about(fields)
    waiting = iter(groups)
    with transaction.atomic(using=using):
        while chunk := list(islice(waiting, _AT_ONCE)):
            _delete_repeated(model, key_fields, chunk, by, using)
            verdicts = [
                DismissedGroup(model=label, fields=key_fields, by=by, note=note) for _ in chunk
            ]
            _insert(verdicts, chunk, using)


def _insert(verdicts: list[DismissedGroup], groups: Iterable[Sequence[str]], using: str) -> None:
    """Write verdicts, each with the keys of the rows that it is about."""
    if connections[using].features.can_return_rows_from_bulk_insert:
        DismissedGroup.objects.using(using).bulk_create(verdicts)
    else:  # MySQL tells the numbers of new rows one at a time
        for verdict in verdicts:
            verdict.save(using=using)
    DismissedRow.objects.using(using).bulk_create(
        DismissedRow(group_id=verdict.pk, row=text)
        for verdict, texts in zip(verdicts, groups, strict=True)
        for text in texts
    )


@checking_arguments
def offer_again(*groups: DismissedGroup | int, using: str = "default") -> None:
    """Take back the verdicts on dismissed groups, so that their rows are offered again.

    Writes nothing else. Raises `InvalidOption` for a verdict that is not there, having taken
    back none; `InvalidMatchKey` for an unknown alias, or one whose database has no verdicts.
    """
    check_alias(using)
    for group in groups:
        require_kind("offer_again()", group, (DismissedGroup, int), "dismissed groups or numbers")
    require_table(DismissedRow, using)
    numbers = {group.pk if isinstance(group, DismissedGroup) else group for group in groups}
    with transaction.atomic(using=using):
        possible = [number for number in numbers if number < MOST_ROWS]
        verdicts = DismissedGroup.objects.using(using).filter(pk__in=possible)
        missing = numbers.difference(verdicts.values_list("pk", flat=True))
        if missing:
            raise InvalidOption(f"there is no dismissed group {', '.join(map(str, missing))}")
        verdicts.delete()


def _delete_repeated(
    model: type[Model], fields: str, groups: Sequence[Sequence[str]], by: str, using: str
) -> None:
    """Delete the earlier verdicts that say nothing but what one by this person will say.

    Another person's reason says more.
    """
    place = {text: number for number, texts in enumerate(groups) for text in texts}
    named, keys = DismissedRow.objects.using(using), list(place)
    theirs = named.filter(Q(group__by=by) | Q(group__note=""), group__model__in=family(model))
    if fields:
        theirs = theirs.filter(group__fields=fields)
    for start in range(0, len(keys), _AT_ONCE):
        # in two statements, an index for each: one would be planned without knowing how many
        some = named.filter(row__in=keys[start : start + _AT_ONCE])
        found = set(some.values_list("group", flat=True))
        places = defaultdict[int, set[int | None]](set)
        for number, row in theirs.filter(group__in=found).values_list("group", "row"):
            places[number].add(place.get(row))
        repeated = [one for one, of in places.items() if len(of) == 1 and None not in of]
        DismissedGroup.objects.using(using).filter(pk__in=repeated).delete()


def _require_equal(rows: RowSet, key: MatchKey, using: str) -> None:
    if concrete(key.model) is not concrete(rows.model):
        raise InvalidOption(f"{rows.label}: its rows cannot be dismissed by a key of {key.label}")
    found = candidates(key, using).filter(pk__in=rows.pks)
    with whole_texts(key, using), comparing(key, using):
        counts = [count["dedupe_rows"] for count in repeated(key, found)]
    if counts == [len(rows.pks)]:
        return
    values = dict.fromkeys(found.order_by("pk").values_list(*key_columns(key)))
    raise InvalidOption(
        f"{rows.label}: rows {', '.join(map(str, rows.pks))} are not equal on"
        f" {', '.join(key.fields)}: {'; '.join(', '.join(map(repr, value)) for value in values)}"
    )
