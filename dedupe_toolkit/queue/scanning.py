"""Searches for the duplicates of a known key and stores their groups for review.

Finding is a bounded number of statements that the database carries out by itself, whatever the
number of groups. Writes the review queue only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from ..databases import database
from ..databases.caching import caching
from ..databases.named_rows import NamedRows
from ..databases.tables import require_table
from ..finding.comparing import comparing
from ..finding.dismissed_groups import split_by_verdict
from ..finding.searched_texts import require_searchable
from ..finding.time_zones import require_time_zones
from ..finding.whole_texts import whole_texts
from ..mapping.key_members import fill_from
from ..mapping.mapping import MergeMap, create, settle
from ..models import QueuedGroup, Scan
from ..planning.session import Session
from ..references.discover import inheritance_root
from ..values import MatchKey, MergePolicy

if TYPE_CHECKING:
    from typing import Any

    from django.db.models import QuerySet

    from ..databases import Database

State = QueuedGroup.State

_FOUND = ("row", "size", "state", "seen")

GONE = (State.MERGED, State.OUTDATED)
"""The states of groups that are duplicates no more."""


@caching()
def find_groups(scan: Scan, key: MatchKey) -> None:
    """Store the groups of a key as they are now, and say of those stored before what they are.

    Groups that are there no more become outdated, unless they were merged; dismissed and skipped
    ones stay so. ``key`` is that of the scan (`scanned_key`). Does nothing if another search of
    the scan has begun meanwhile. A scan that was cancelled stays so.

    Raises `InvalidMatchKey` as `find_duplicates` does.
    """
    using = scan.using
    require_table(key.model, using)
    require_time_zones(key, using)
    require_searchable(key, using)
    session = Session(database(using), key, MergePolicy(), "scan")
    with whole_texts(key, using), session.database.planning():
        with comparing(key, using):
            found = _found(session, key, scan.number + 1)
        with transaction.atomic(using=using):
            _store(session.database, scan, found)


def _found(session: Session, key: MatchKey, number: int) -> str:
    """A work table of all groups as the review queue has them, found by the search ``number``."""
    dialect = session.database
    queued = dialect.table(QueuedGroup)
    columns = {name: queued.column(name).definition for name in (*_FOUND, "run_id")}
    name = session.work_table("found")
    dialect.create_work_table(name, columns, primary_key=["row"])
    offered, dismissed = split_by_verdict(key, dialect.using)
    _add(session, key, offered, f"'{State.PENDING}', {number}", name)
    if not dismissed.query.is_empty():
        _add(session, key, dismissed, f"'{State.DISMISSED}', {number}", name)
    return name


def _add(session: Session, key: MatchKey, rows: QuerySet[Any], as_what: str, found: str) -> None:
    dialect = session.database
    table = dialect.table(inheritance_root(key.model))
    mapping = create(dialect, MergeMap(name=session.work_table("map"), table=table))
    fill_from(session, mapping, key, rows)
    settle(dialect, mapping)
    survivors = ", ".join(dialect.qualified("m", mapping.survivors))
    dialect.run(
        f"INSERT INTO {dialect.q(found)} ({_listed(dialect, *_FOUND)})"
        f" SELECT {mapping.root(dialect)}, COUNT(*), {as_what}"
        f" FROM {dialect.q(mapping.name)} m GROUP BY m.group_number, {survivors}"
    )


def _store(dialect: Database, scan: Scan, found: str) -> None:
    scans = Scan.objects.using(dialect.using)
    # the first statement writes: whoever else begins a search of this scan waits here, and fails
    begun = scans.filter(pk=scan.pk, number=scan.number).update(
        number=scan.number + 1,
        status=Case(
            When(status=Scan.Status.CANCELLED, then=F("status")),
            default=Value(Scan.Status.RUNNING.value),
        ),
        started=timezone.now(),
        finished=None,
        groups_before=F("groups"),
    )
    scan.refresh_from_db()
    if not begun:
        return
    _update_known(dialect, scan, found)
    _insert_new(dialect, scan, found)
    groups = QueuedGroup.objects.using(dialect.using).filter(scan=scan)
    gone = groups.exclude(seen=scan.number).exclude(state__in=GONE)
    gone.update(state=State.OUTDATED, is_safe=False)
    scan.groups = groups.filter(seen=scan.number).exclude(state=State.DISMISSED).count()
    scan.save(update_fields=["groups"])


def _update_known(dialect: Database, scan: Scan, found: str) -> None:
    """Groups known before: those that were gone or dismissed are what they were found to be."""
    known = NamedRows(found, {"row": "row"}, where=f"t.scan_id = {int(scan.pk)}")
    states = ", ".join(f"'{state}'" for state in (*GONE, State.DISMISSED))
    back = {"state": "state", "run_id": "run_id"}
    for assigned, rows in (
        ({"size": "size", "seen": "seen"}, known),
        (back, replace(known, where=f"{known.where} AND t.state IN ({states})")),
        (back, known.only(f"m.state = '{State.DISMISSED}'")),
    ):
        dialect.update(QueuedGroup._meta.db_table, assigned, rows)


def _insert_new(dialect: Database, scan: Scan, found: str) -> None:
    field = QueuedGroup._meta.get_field("found")
    now = field.get_db_prep_value(timezone.now(), dialect.connection)
    columns = ("scan_id", "found", *_FOUND, "text", "differing", "is_safe", "examined", "by")
    queued, row = dialect.q(QueuedGroup._meta.db_table), dialect.q("row")
    dialect.run(
        f"INSERT INTO {queued} ({_listed(dialect, *columns)})"
        f" SELECT {int(scan.pk)}, %s, {', '.join(dialect.qualified('m', _FOUND))},"
        f" '', 0, {dialect.literal(False)}, 0, ''"
        f" FROM {dialect.q(found)} m WHERE NOT EXISTS (SELECT 1 FROM {queued} q"
        f" WHERE q.scan_id = {int(scan.pk)} AND q.{row} = m.{row})",
        [now],
    )


def _listed(dialect: Database, *names: str) -> str:
    return ", ".join(map(dialect.q, names))
