"""The admin's review page of single groups, asked as a browser asks for it."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.db import connection
from django.db.models import Count

from .library.models import Author
from .scans import full_scans
from .statements import recorded

if TYPE_CHECKING:
    from django.test import Client

    from dedupe_toolkit import MergePlan

PATH = "/admin/dedupe_toolkit/mergerun/merge/library/author/"


class Scans:
    """The full scans of a page's statements, explained while its work tables are there."""

    def __init__(self) -> None:
        self.found: set[str] = set()
        self._is_explaining = False

    def __call__(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not self._is_explaining:
            self._is_explaining = True
            self.found.update(full_scans(sql, params))
            self._is_explaining = False
        return execute(sql, params, many, context)


def review(*, groups: int = 40) -> dict[str, Any]:
    """The pages of some groups of two: their queries, their seconds, and what they scan."""
    call_command("migrate", run_syncdb=True, verbosity=0)
    client = _client()
    named = Author.objects.values("first_name", "last_name").order_by("last_name")
    pairs = named.annotate(rows=Count("pk", distinct=True)).filter(rows=2)[:groups]
    chosen = [_keys(pair["first_name"], pair["last_name"]) for pair in pairs]
    _page(client, chosen[0])  # imports, templates, content types
    pages = [_measured(client, keys) for keys in chosen]
    scans = Scans()
    with connection.execute_wrapper(scans):
        for keys in chosen:
            _page(client, keys)
    return {"pages": pages, "scans": sorted(scans.found)}


def _measured(client: Client, keys: list[int]) -> dict[str, Any]:
    start = perf_counter()
    with recorded() as asked:
        plan = _page(client, keys)
    seconds = perf_counter() - start
    # profiles alone can differ from their rivals, and those that do hold their group back
    kind = "rows collide" if plan.held_back else "nothing collides"
    return {"kind": kind, "queries": asked.total, "seconds": seconds}


def _client() -> Client:
    from django.contrib.auth.models import User
    from django.test import Client

    client = Client()
    client.force_login(User.objects.create_superuser("reviewer"))
    return client


def _keys(first_name: str, last_name: str) -> list[int]:
    same = Author.objects.filter(first_name=first_name, last_name=last_name)
    return list(same.values_list("pk", flat=True))


def _page(client: Client, keys: list[int]) -> MergePlan:
    """Asks for the page; returns the plan that it shows."""
    response = client.get(PATH, {"rows": keys})
    if response.status_code != 200 or b"dedupe-plan" not in response.content:
        raise RuntimeError(f"no review page for {keys}: {response.status_code}")
    plan: MergePlan = response.context_data["plan"]
    return plan
