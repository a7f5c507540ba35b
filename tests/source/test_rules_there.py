"""make_unique where a rule is there already: in the model, in a migration, in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection

from tests.source.kit import EXPRESSIONS, ITEM
from tests.source.project import CONCURRENTLY

if TYPE_CHECKING:
    from tests.source.project import Project


def declare(project: Project) -> None:
    """Give the model a rule by hand, and write its migration."""
    path = project.folder / "shop" / "models.py"
    text = path.read_text().replace("name = models.CharField(max_length=50)  #", UNIQUE_FIELD, 1)
    path.write_text(text)
    project.must("makemigrations", "shop", "-v", "0")


UNIQUE_FIELD = "name = models.CharField(max_length=50, unique=True)  #"

MERGE_LINE = "manage.py merge_duplicates shop.Item --fields name"

NOT_THERE = "shop.Item: name (unique=True) is in the model, not in the database"


def test_a_rule_whose_migration_died_on_the_duplicates_covers_nothing(project: Project) -> None:
    project.python("for name in 'aab': make('shop.Item', name=name)")
    declare(project)
    assert project.manage("migrate", "-v", "0").returncode == 1
    found = project.manage("find_duplicates", ITEM, "--fields", "name")
    assert "1 duplicate group" in found.stdout
    unapplied = f"{NOT_THERE}: its migration has not been applied"
    then = f"{MERGE_LINE}, then manage.py migrate shop"
    assert found.stderr == f"{unapplied}; merge, then migrate: {then}\n"
    assert project.refuses("make_unique", ITEM, "--fields", "name") == (
        f"{unapplied}; merge, then migrate: {then}; shop.Item has 1 duplicate group (2 rows) on"
        " name"
    )
    checked = project.manage("check", "--database", "default").stderr
    assert f"(dedupe_toolkit.I001) {unapplied}" in " ".join(checked.split())
    merged = project.manage("merge_duplicates", ITEM, "--fields", "name", "--no-input")
    assert "Merge run 1: 1 row merged" in merged.stdout
    assert merged.stderr == f"{unapplied}; migrate: manage.py migrate shop\n"
    project.must("migrate", "-v", "0")
    assert project.must("make_unique", ITEM, "--fields", "name", "year") == (
        "shop.Item cannot have duplicates on name, year any more: name (unique=True) covers it."
        " Nothing was written.\n"
    )


def test_a_rule_without_a_migration_is_named(project: Project) -> None:
    declare(project)
    (project.folder / "shop" / "migrations" / "0002_alter_item_name.py").unlink()
    assert project.must("make_unique", ITEM, "--fields", "name") == (
        f"{NOT_THERE}: its migration has not been written; make migrations and migrate:"
        " manage.py makemigrations shop, then manage.py migrate shop. Nothing was written.\n"
    )


def test_a_rule_whose_migration_was_faked_is_put_back(project: Project) -> None:
    declare(project)
    project.must("migrate", "shop", "--fake", "-v", "0")
    project.python("for name in 'aab': make('shop.Item', name=name)")
    faked = (
        f"{NOT_THERE}, though migration shop.0002_alter_item_name is recorded as applied: it was"
        " faked, or the rule was dropped since"
    )
    steps = ["manage.py migrate shop 0001_initial --fake", "manage.py migrate shop"]
    assert project.refuses("make_unique", ITEM, "--fields", "name").startswith(
        f"{faked}; merge, then put it back: {', then '.join([MERGE_LINE, *steps])};"
    )
    project.must("merge_duplicates", ITEM, "--fields", "name", "--no-input")
    assert project.refuses("make_unique", ITEM, "--fields", "name") == (
        f"{faked}; put it back: {', then '.join(steps)}"
    )
    checked = project.manage("check", "--database", "default").stderr
    assert f"(dedupe_toolkit.W004) {faked}" in " ".join(checked.split())
    assert f"then: {', then '.join(steps)}" in " ".join(checked.split())
    for step in steps:
        project.must(*step.split()[1:], "-v", "0")
    checked = project.manage("check", "--database", "default").stderr
    assert "dedupe_toolkit" not in checked
    assert project.python("print(fails('shop.Item', name='a'))") == "True\n"


def test_a_rule_of_a_first_migration_that_was_dropped_is_put_back_by_sql(project: Project) -> None:
    project.python(
        """
model = apps.get_model('shop.Place')
with connection.schema_editor() as editor:
    editor.alter_unique_together(model, model._meta.unique_together, ())
for _ in 'aa': make('shop.Place', row=1, seat=1)
"""
    )
    key = ["shop.Place", "--fields", "row", "seat"]
    refusal = project.refuses("make_unique", *key)
    assert "unique_together (row, seat) is in the model, not in the database, though" in refusal
    assert "shop.Place has 1 duplicate group (2 rows) on row, seat" in refusal
    project.must("merge_duplicates", *key, "--no-input")
    _, sql = project.refuses("make_unique", *key).split("; put it back: ")
    project.python(f"connection.cursor().execute({sql!r})")
    assert "unique_together (row, seat) covers it" in project.must("make_unique", *key)


def test_a_unique_index_made_by_hand_covers_the_key(project: Project) -> None:
    project.python("connection.cursor().execute('CREATE UNIQUE INDEX by_hand ON shop_item (name)')")
    assert project.must("make_unique", ITEM, "--fields", "name") == (
        "shop.Item cannot have duplicates on name any more: the database's own unique index"
        " by_hand covers it. Nothing was written.\n"
    )


def test_an_index_of_that_name_that_says_something_else_covers_nothing(project: Project) -> None:
    if not project.has(EXPRESSIONS):
        pytest.skip("the database has no indexes on expressions")
    project.must("make_unique", ITEM, "--fields", "name", "--ignore-case", "--name", "my_uniq")
    project.must("migrate", "-v", "0")
    quoted, table = map(connection.ops.quote_name, ("my_uniq", "shop_item"))
    of_table = f" ON {table}" if connection.vendor == "mysql" else ""
    if_there = "IF EXISTS " if connection.vendor == "postgresql" else ""
    key = ["make_unique", ITEM, "--fields", "name", "--ignore-case"]
    assert "the constraint my_uniq covers it" in project.must(*key)
    project.python(
        f"c = connection.cursor(); c.execute('DROP INDEX my_uniq{of_table}');"
        " c.execute('CREATE UNIQUE INDEX my_uniq ON shop_item ((upper(name)))')"
    )
    refusal = project.refuses(*key)
    assert refusal.startswith(
        "shop.Item: the constraint my_uniq is in the model, but the database's index"
        f" {quoted} says something else; replace it: DROP INDEX {if_there}{quoted}{of_table}, then"
        f" CREATE UNIQUE INDEX {quoted}"
    )


def test_an_invalid_index_covers_nothing(project: Project) -> None:
    if not project.has(CONCURRENTLY):
        pytest.skip("the database builds no index concurrently")
    project.must("make_unique", ITEM, "--fields", "name", "--name", "my_uniq")
    project.must("migrate", "-v", "0")
    project.python(
        'connection.cursor().execute("UPDATE pg_index SET indisvalid = false'
        " WHERE indexrelid = 'my_uniq'::regclass\")"
    )
    assert project.refuses("make_unique", ITEM, "--fields", "name") == (
        "shop.Item: the constraint my_uniq is in the model, but its index in the database is"
        ' invalid and keeps nothing unique; build it again: REINDEX INDEX CONCURRENTLY "my_uniq"'
    )
