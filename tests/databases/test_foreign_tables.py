"""Tables whose rows a file or another server stores: nothing is written that cannot be."""

from __future__ import annotations

import pytest
from django.db import connection

from dedupe_toolkit import find_duplicates, make_unique, match_key, merge, plan_merge
from dedupe_toolkit.errors import ConstraintRefused, MergeRefused
from tests.references.naming import rows_of, run
from tests.situations.named.models import Plain

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="it has no foreign tables"),
]

TABLES = {"named_plain": "name text, note text", "named_plaintext": "plain_id integer"}
ROWS = {"named_plain": "echo 1,x,; echo 2,x,", "named_plaintext": "echo 1,2"}


@pytest.fixture(params=TABLES)
def shown(request: pytest.FixtureRequest) -> str:
    """One of the tables shows what a program writes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_available_extensions WHERE name = 'file_fdw'")
        if not cursor.fetchone():
            pytest.skip("the server has no file_fdw")
    run("CREATE EXTENSION IF NOT EXISTS file_fdw")
    run("CREATE SERVER shown FOREIGN DATA WRAPPER file_fdw")
    for table, columns in TABLES.items():
        if table == request.param:
            options = f"OPTIONS (program '{ROWS[table]}', format 'csv')"
            run(f"CREATE FOREIGN TABLE {table} (id integer, {columns}) SERVER shown {options}")
        else:
            run(f"CREATE TABLE {table} (id integer PRIMARY KEY, {columns})")
            values = ROWS[table].replace("echo ", "").replace(",x,", ", 'x', ''").split(";")
            run(f"INSERT INTO {table} VALUES {', '.join(f'({one})' for one in values)}")
    return str(request.param)


def test_a_merge_that_would_write_what_is_only_shown_is_refused(shown: str) -> None:
    before = [rows_of(table) for table in TABLES]
    key = match_key(Plain, ["name"])
    assert find_duplicates(key).groups == 1
    plan = plan_merge(key)
    told = f"{shown} cannot be written from here, being foreign tables that only show their rows"
    assert any(str(line).startswith(told) for line in plan.warnings)
    with pytest.raises(MergeRefused, match=told):
        merge(plan)
    assert [rows_of(table) for table in TABLES] == before


@pytest.mark.parametrize("shown", ["named_plain"], indirect=True)
def test_a_unique_rule_for_a_foreign_table_is_refused(shown: str) -> None:
    told = rf"named\.Plain: {shown} is a foreign table of the database 'default', which keeps no"
    with pytest.raises(ConstraintRefused, match=told):
        make_unique(match_key(Plain, ["note"]))
