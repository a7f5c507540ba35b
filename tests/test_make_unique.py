"""make_unique in a project of its own: edit, migrate, migrate back, on the configured database."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from textwrap import indent
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, connections

from .concurrency_kit import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .source.project import Project

EXPRESSIONS = "features.supports_expression_indexes"
CONDITIONS = "features.supports_partial_indexes"
NULLS = "features.supports_nulls_distinct_unique_constraints"
GENERATED = "features.supports_stored_generated_columns"
CONCURRENTLY = "SchemaEditorClass.sql_create_index_concurrently"

ROW = "dict(name='a', code='x', year=1)"
ITEM = "shop.Item"

# options, the two rows, the model that is edited, what its source has afterwards, what it takes
SITUATIONS: dict[str, tuple[list[str], str, str, str, str, str]] = {
    "plain_fields": (
        [ITEM, "--fields", "name", "code"],
        ROW,
        ROW,
        ITEM,
        '    class Meta:\n        unique_together = [("name", "code")]\n',
        "",
    ),
    "one_foreign_key_and_an_abstract_meta": (
        ["shop.tag", "--fields", "item"],
        "dict(item_id=1, name='a')",
        "dict(item_id=1, name='b')",
        "shop.Tag",
        '    class Meta(Timed.Meta):\n        unique_together = [("item",)]\n',
        "",
    ),
    "a_unique_together_that_is_there": (
        ["shop.Place", "--fields", "seat", "block"],
        "dict(row=1, seat=1, block=1)",
        "dict(row=2, seat=1, block=1)",
        "shop.Place",
        '        unique_together = [("row", "seat"), ("seat", "block")]\n',
        "",
    ),
    "constraints_that_are_there": (
        ["shop.Price", "--fields", "item", "--style", "constraint", "--name", "one_price"],
        "dict(item_id=1, amount=1)",
        "dict(item_id=1, amount=2)",
        "shop.Price",
        '            models.UniqueConstraint(fields=["item"], name="one_price"),\n        ]\n',
        "",
    ),
    "ignoring_case_and_space": (
        [ITEM, "--fields", "name", "--ignore-case", "--ignore-space"],
        "dict(name='Ann  Lee')",
        "dict(name=' ann lee')",
        ITEM,
        'Lower(Collapse("name")), name="shop_item_',
        EXPRESSIONS,
    ),
    "a_date_of_a_moment": (
        ["shop.Tag", "--fields", "item", "changed__date"],
        "dict(item_id=1, name='a')",
        "dict(item_id=1, name='b')",
        "shop.Tag",
        '"item", "changed__date", name="shop_tag_',
        EXPRESSIONS,
    ),
    "a_condition": (
        [ITEM, "--fields", "name", "--where", "is_gone=false"],
        "dict(name='a')",
        "dict(name='a')",
        ITEM,
        "condition=models.Q(is_gone=False)",
        CONDITIONS,
    ),
    "blanks_that_are_distinct": (
        [ITEM, "--fields", "code", "--blanks", "distinct"],
        "dict(name='a', code='x')",
        "dict(name='b', code='x')",
        ITEM,
        'condition=~models.Q(code="")',
        CONDITIONS,
    ),
    "nulls_that_are_equal": (
        [ITEM, "--fields", "name", "year", "--nulls", "equal"],
        "dict(name='a', year=None)",
        "dict(name='a', year=None)",
        ITEM,
        "nulls_distinct=False",
        NULLS,
    ),
    "concurrently": (
        [ITEM, "--fields", "name", "--concurrently"],
        "dict(name='a')",
        "dict(name='a')",
        ITEM,
        'models.UniqueConstraint(fields=["name"], name="shop_item_',
        "",
    ),
    "concurrently_with_equal_nulls": (
        [ITEM, "--fields", "year", "--nulls", "equal", "--concurrently"],
        "dict(name='a', year=None)",
        "dict(name='b', year=None)",
        ITEM,
        "nulls_distinct=False",
        NULLS,
    ),
    "concurrently_ignoring_case": (
        [ITEM, "--fields", "name", "--ignore-case", "--concurrently"],
        "dict(name='a')",
        "dict(name='A')",
        ITEM,
        'models.UniqueConstraint(Lower("name"), name="shop_item_',
        EXPRESSIONS,
    ),
    "a_proxy": (
        ["shop.Shown", "--fields", "name"],
        "dict(name='a')",
        "dict(name='a')",
        ITEM,
        '    class Meta:\n        unique_together = [("name",)]\n',
        "",
    ),
    "a_field_of_a_multi_table_parent": (
        ["shop.Special", "--fields", "code"],
        "dict(name='a', code='x')",
        "dict(name='b', code='x')",
        ITEM,
        '    class Meta:\n        unique_together = [("code",)]\n',
        "",
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_a_constraint_is_added_kept_and_taken_back(project: Project, situation: Any) -> None:
    options, first, second, label, source, feature = situation
    if feature and not project.has(feature):
        pytest.skip(f"the database lacks {feature}: its refusal is tested elsewhere")
    if "item_id" in first:
        project.python("make('shop.Item', name='the item')")
    output = project.must("make_unique", *options)
    assert source in project.models
    assert output.endswith("Written. Now run: manage.py migrate shop\n")
    assert len(project.migrations()) == 2
    said = project.python(
        f"""
call_command("makemigrations", check_changes=True)
call_command("migrate", "shop", verbosity=0)
make({label!r}, **{first})
print("after:", fails({label!r}, **{second}))
call_command("migrate", "shop", "0001", verbosity=0)
print("back:", fails({label!r}, **{second}))
print([t for t in connection.introspection.table_names() if t.startswith("new__")])
"""
    )
    assert said == "No changes detected\nafter: True\nback: False\n[]\n"


def test_what_is_printed_is_what_is_written(project: Project) -> None:
    before = project.models
    printed = project.must("make_unique", ITEM, "--fields", "name")
    assert printed.startswith(
        "--- a/shop/models.py\n"
        "+++ b/shop/models.py\n"
        "@@ -15,6 +15,9 @@\n"
        "     code = models.CharField(max_length=20, blank=True)\n"
        "     year = models.IntegerField(null=True)\n"
        "     is_gone = models.BooleanField(default=False)\n"
        "+\n"
        "+    class Meta:\n"
        '+        unique_together = [("name",)]\n'
        " \n"
        "     def __str__(self):\n"
        "         return self.name\n"
        "--- /dev/null\n"
        "+++ b/shop/migrations/0002_item_unique_name.py\n"
    )
    (name, text) = list(project.migrations().items())[-1]
    assert name == "0002_item_unique_name"
    assert all(f"+{line}\n" in printed for line in text.splitlines())
    meta = '    class Meta:\n        unique_together = [("name",)]\n\n'
    assert project.models == before.replace("    def __str__", f"{meta}    def __str__")


def test_a_dry_run_prints_the_same_and_writes_nothing(untouched: Project) -> None:
    before = untouched.files()
    printed = untouched.must("make_unique", ITEM, "--fields", "name", "--dry-run")
    assert untouched.files() == before
    assert "Written" not in printed
    assert '+        unique_together = [("name",)]\n' in printed


@pytest.mark.parametrize(
    ("options", "covered"),
    [
        ([], "unique_together (name, code)"),
        (["--style", "constraint", "--name", "named"], "the constraint named"),
    ],
    ids=["unique_together", "constraint"],
)
def test_a_second_run_changes_nothing(project: Project, options: list[str], covered: str) -> None:
    key = [ITEM, "--fields", "name", "code"]
    project.must("make_unique", *key, *options)
    written = project.files()
    assert project.must("make_unique", *key) == (
        f"shop.Item: {covered} is in the model, not in the database: its migration has not been"
        " applied; migrate: manage.py migrate shop. Nothing was written.\n"
    )
    project.must("migrate", "-v", "0")
    for wider in ([], ["year"]):
        fields = ", ".join(["name", "code", *wider])
        assert project.must("make_unique", *key, *wider) == (
            f"shop.Item cannot have duplicates on {fields} any more: {covered} covers it."
            " Nothing was written.\n"
        )
    assert project.files() == written


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


def test_duplicates_are_counted_and_nothing_is_written(project: Project) -> None:
    project.python("for name in 'aabbbc': make('shop.Item', name=name)")
    assert project.refuses("make_unique", "shop.item", "--fields", "name") == (
        "shop.Item has 2 duplicate groups (5 rows) on name; nothing was written; merge them first:"
        " manage.py merge_duplicates shop.Item --fields name"
    )


def test_duplicates_are_merged_first_when_asked_to(project: Project) -> None:
    project.python("for name in 'aabbbc': make('shop.Item', name=name)")
    printed = project.must("make_unique", ITEM, "--fields", "name", "--merge")
    assert printed.startswith("Merge run 1: 2 of 2 groups merged.\n--- a/shop/models.py\n")
    project.must("migrate", "-v", "0")


STOPPING = """
import os, signal
from dedupe_toolkit.signals import post_merge

def stop(**_):
    os.kill(os.getpid(), signal.SIGINT)

post_merge.connect(stop, weak=False)
"""


def test_ctrl_c_in_its_merge_says_what_is_merged_and_how_to_go_on(project: Project) -> None:
    project.python("for name in 'aabbbc': make('shop.Item', name=name)")
    declared = project.folder / "shop" / "dedupe.py"
    declared.write_text(STOPPING)
    before = project.files()
    line = ("make_unique", ITEM, "--fields", "name", "--merge")
    code, shown = project.at_terminal(*line, columns=80)
    assert code == 130
    told = " ".join(shown.split())
    assert "Stopped: 2 groups merged in run 1, the others are as they were." in told
    assert "The same command goes on; manage.py undo_merge 1 takes it back." in told
    assert project.files() == before
    declared.unlink()
    assert project.must(*line).startswith("--- a/shop/models.py")


def test_a_migration_stops_on_duplicates_before_it_changes_anything(project: Project) -> None:
    project.must("make_unique", ITEM, "--fields", "name")
    project.python("for name in 'aabbbc': make('shop.Item', name=name)")
    assert project.refuses("migrate", "-v", "0") == (
        "shop.Item has 2 duplicate groups (5 rows) on name;"
        " nothing was changed by this migration;"
        " run manage.py merge_duplicates shop.Item --fields name, then migrate again"
    )
    assert "[ ] 0002_item_unique_name" in project.must("showmigrations", "shop")
    project.python("apps.get_model('shop.Item').objects.filter(pk__in=[2, 4, 5]).delete()")
    project.must("migrate", "-v", "0")
    assert "[X] 0002_item_unique_name" in project.must("showmigrations", "shop")


DISMISSED = """
from dedupe_toolkit import dismiss, row_set
model = apps.get_model('shop.Item')
dismiss(row_set(model, model.objects.filter(name='a').values_list('pk', flat=True)))
"""
TELL_APART = (
    "1 of the groups is dismissed: a merge by the key leaves such groups alone, the constraint"
    " does not; put a field or condition into the key that tells their rows apart, or merge the"
    " rows with merge_duplicates --pks"
)


def test_dismissed_groups_are_in_the_way_as_well_and_said_to_be(project: Project) -> None:
    project.must("make_unique", ITEM, "--fields", "name")
    project.python("for name in 'aabb': make('shop.Item', name=name)" + DISMISSED)
    merging = "manage.py merge_duplicates shop.Item --fields name"
    assert project.refuses("migrate", "-v", "0") == (
        "shop.Item has 2 duplicate groups (4 rows) on name;"
        f" nothing was changed by this migration; run {merging}, then migrate again; {TELL_APART}"
    )
    project.must(*merging.split()[1:], "--no-input")
    assert project.refuses("migrate", "-v", "0") == (
        "shop.Item has 1 duplicate group (2 rows) on name;"
        f" nothing was changed by this migration; {TELL_APART}"
    )


def test_a_migration_looks_for_duplicates_also_before_this_package_has_its_tables(
    project: Project,
) -> None:
    project.must("make_unique", ITEM, "--fields", "name")
    project.must("migrate", "dedupe_toolkit", "zero", "-v", "0")
    project.python("for name in 'aa': make('shop.Item', name=name)")
    assert "has 1 duplicate group (2 rows) on name" in project.refuses("migrate", "shop", "-v", "0")


def test_dismissed_groups_count_when_a_key_is_to_be_made_unique(project: Project) -> None:
    project.python("for name in 'aabb': make('shop.Item', name=name)" + DISMISSED)
    assert project.refuses("make_unique", ITEM, "--fields", "name") == (
        "shop.Item has 2 duplicate groups (4 rows) on name; nothing was written; merge them first:"
        f" manage.py merge_duplicates shop.Item --fields name; {TELL_APART}"
    )
    assert project.refuses("make_unique", ITEM, "--fields", "name", "--merge") == (
        f"shop.Item has 1 duplicate group (2 rows) on name; nothing was written; {TELL_APART}"
    )


def test_a_migration_names_key_values_only_if_it_was_asked_to(project: Project) -> None:
    project.must("make_unique", ITEM, "--fields", "name", "--show-values")
    project.python("for name in 'aab': make('shop.Item', name=name)")
    said = project.refuses("migrate", "-v", "0")
    assert "(2 rows) on name, first 'a' (2 rows); nothing was changed" in said


def test_the_declared_key_is_made_unique_when_none_is_named(project: Project) -> None:
    declared = project.folder / "shop" / "dedupe.py"
    head = "from dedupe_toolkit import register\n\nfrom .models import Item\n\n"
    declared.write_text(f'{head}register(Item, keys=["name", ("code", "year")])\n')
    assert project.refuses("make_unique", ITEM) == (
        "shop.Item has 2 known keys; name one of them at a time: manage.py make_unique"
        " shop.Item --fields name; or manage.py make_unique shop.Item --fields code year"
    )
    declared.write_text(f'{head}register(Item, keys=[("code", "year")])\n')
    project.must("make_unique", ITEM)
    assert 'unique_together = [("code", "year")]' in project.models
    assert "has no declared keys" in project.refuses("make_unique", "shop.Place")


def test_groups_that_a_merge_holds_back_are_told_with_what_to_try(project: Project) -> None:
    project.python(
        """
for name in 'aabb': make('shop.Item', name=name)
for item in (1, 2): make('shop.Price', item_id=item, amount=item)
with connection.cursor() as cursor:
    cursor.execute('CREATE UNIQUE INDEX one_price ON shop_price (item_id)')
"""
    )
    done = project.manage("make_unique", ITEM, "--fields", "name", "--merge")
    assert (done.returncode, done.stdout) == (1, "Merge run 1: 1 of 2 groups merged.\n")
    assert done.stderr == (
        "CommandError: shop.Item: 1 of 2 groups is held back, so nothing was written: shop.Price:"
        " rows 1 and 2 would break unique (item) (1). manage.py merge_duplicates shop.Item --fields"
        " name merges them once you settle that: shop.Price: 1 row collides with another and"
        " differs in amount (1). --on-collision merge would make one row of each two: the other's"
        " values stay, these give way to the journal, and whatever references the row (0 are"
        " referenced) moves to the other. --on-collision discard would delete the row, and never"
        " one that is referenced; by the rows one by one, or with --pks. Then run make_unique"
        " again\n"
    )


def test_the_file_with_the_name_of_the_last_migration_moves_along(project: Project) -> None:
    latest = project.folder / "shop" / "migrations" / "max_migration.txt"
    latest.write_text("0001_initial\n")
    printed = project.must("make_unique", ITEM, "--fields", "name", "--dry-run")
    assert "-0001_initial\n+0002_item_unique_name\n" in printed
    assert latest.read_text() == "0001_initial\n"
    project.must("make_unique", ITEM, "--fields", "name")
    assert latest.read_text() == "0002_item_unique_name\n"


def test_a_large_table_is_said_to_be_locked(project: Project) -> None:
    if not project.has(CONCURRENTLY):
        pytest.skip("the database builds no index concurrently")
    project.python(
        'connection.cursor().execute("INSERT INTO shop_item (name, code, is_gone)'
        " SELECT n::text, '', false FROM generate_series(1, 100001) n\")"
    )
    key = ["make_unique", ITEM, "--fields", "name", "--dry-run"]
    said = "nobody reads or writes the table, for some seconds per million rows; with --concurr"
    assert said in project.must(*key)
    assert said not in project.must(*key, "--concurrently")
    project.python("connection.cursor().execute('DELETE FROM shop_item WHERE id = 1')")
    assert said not in project.must(*key)


def test_rows_outside_the_condition_do_not_stop_a_migration(project: Project) -> None:
    if not project.has(CONDITIONS):
        pytest.skip("the database has no partial indexes")
    project.python("for _ in 'aa': make('shop.Item', name='a', is_gone=True)")
    project.must("make_unique", ITEM, "--fields", "name", "--where", "is_gone=false")
    project.must("migrate", "-v", "0")
    assert project.python("print(fails('shop.Item', name='a'), fails('shop.Item', name='a'))") == (
        "False True\n"
    )


def test_sqlmigrate_shows_the_constraint_and_looks_at_no_row(project: Project) -> None:
    project.must("make_unique", ITEM, "--fields", "name", "--concurrently")
    project.python("for name in 'aa': make('shop.Item', name=name)")
    sql = project.must("sqlmigrate", "shop", "0002")
    assert "UNIQUE" in sql
    assert "-- THIS OPERATION CANNOT BE WRITTEN AS SQL" in sql


def test_a_concurrent_build_drops_the_invalid_index_of_an_earlier_try(project: Project) -> None:
    if not project.has(CONCURRENTLY):
        pytest.skip("the database builds no index concurrently")
    project.must("make_unique", ITEM, "--fields", "name", "--concurrently", "--name", "my_uniq")
    project.python(
        """
for name in 'aa': make('shop.Item', name=name)
try:
    connection.cursor().execute('CREATE UNIQUE INDEX CONCURRENTLY my_uniq ON shop_item (name)')
except IntegrityError:
    apps.get_model('shop.Item').objects.last().delete()
"""
    )
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'my_uniq'::regclass"
    ask = f"c = connection.cursor(); c.execute({valid!r}); print(c.fetchone())"
    assert project.python(ask) == "(False,)\n"
    project.must("migrate", "-v", "0")
    assert project.python(ask) == "(True,)\n"
    assert project.python("print(fails('shop.Item', name='a'))") == "True\n"
    project.must("migrate", "shop", "0001", "-v", "0")


def test_a_concurrent_build_that_fails_leaves_nothing_behind(project: Project) -> None:
    project.must("make_unique", ITEM, "--fields", "name", "--concurrently", "--name", "my_uniq")
    path = project.folder / "shop" / "migrations" / "0002_item_unique_name.py"
    text = path.read_text()
    guard = text[text.index("        dedupe_toolkit.operations.Check") :]
    unguarded = text.replace(guard[: guard.index("),\n") + 3], "")
    path.write_text(unguarded)
    project.python("for name in 'aa': make('shop.Item', name=name)")
    assert project.manage("migrate", "-v", "0").returncode == 1
    project.python("apps.get_model('shop.Item').objects.last().delete()")
    left = project.python(
        "print([t for t in connection.introspection.table_names() if t.startswith('new__')],"
        " 'my_uniq' in connection.introspection.get_constraints(connection.cursor(), 'shop_item'))"
    )
    assert left == "[] False\n"
    project.must("migrate", "-v", "0")
    assert project.python("print(fails('shop.Item', name='a'))") == "True\n"


def session(project: Project) -> Any:
    """Another session of the project's database."""
    import psycopg

    settings = connections["default"].settings_dict
    name = project.python("print(connection.settings_dict['NAME'])").strip()
    given = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
    options = {key: settings[name] for key, name in given.items() if settings[name]}
    return psycopg.connect(dbname=name, autocommit=True, **options)


@contextmanager
def blocking(project: Project, statement: str) -> Iterator[None]:
    """Another session that has run a statement in a transaction and leaves it open."""
    with session(project) as other:
        other.execute("BEGIN")
        other.execute(statement)
        yield
        other.execute("ROLLBACK")


WRITER = "INSERT INTO shop_item (name, code, is_gone) VALUES ('z', '', false)"
READER = "LOCK TABLE shop_item IN ACCESS SHARE MODE"
LEFT = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'my_uniq'::regclass"


@pytest.mark.parametrize(
    ("statement", "is_built"),
    [(WRITER, False), (READER, True)],
    ids=["while_it_is_built", "while_it_is_attached"],
)
def test_a_concurrent_build_that_waits_too_long_for_a_lock_goes_on_when_migrated_again(
    project: Project, statement: str, is_built: bool
) -> None:
    if not project.has(CONCURRENTLY):
        pytest.skip("the database builds no index concurrently")
    project.must("make_unique", ITEM, "--fields", "name", "--concurrently", "--name", "my_uniq")
    with (project.folder / "settings.py").open("a") as settings:
        settings.write(
            'DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c lock_timeout=300ms"\n'
        )
    with blocking(project, statement):
        for _ in range(2):
            said = project.refuses("migrate", "-v", "0")
            assert said == (
                "shop.Item: my_uniq is not there yet (canceling statement due to lock timeout);"
                " migrate again, it goes on where it stopped"
            )
        ask = f"c = connection.cursor(); c.execute({LEFT!r}); print(c.fetchone())"
        assert project.python(ask) == f"({is_built},)\n"
    project.must("migrate", "-v", "0")
    assert project.python("print(fails('shop.Item', name='a'), fails('shop.Item', name='a'))") == (
        "False True\n"
    )
    project.must("migrate", "shop", "0001", "-v", "0")
    assert project.python("print(fails('shop.Item', name='a'))") == "False\n"


def test_a_concurrent_build_that_is_killed_before_its_end_goes_on_when_migrated_again(
    project: Project,
) -> None:
    if not project.has(CONCURRENTLY):
        pytest.skip("the database builds no index concurrently")
    project.must("make_unique", ITEM, "--fields", "name", "--concurrently", "--name", "my_uniq")
    waiting = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
        " AND wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE%'"
    )
    with session(project) as watcher, blocking(project, READER):
        process = project.start("migrate", "-v", "0")
        until(lambda: watcher.execute(waiting).fetchone())
        process.kill()
        process.wait()
        watcher.execute(f"SELECT pg_terminate_backend(pid) FROM ({waiting}) w")
    project.must("migrate", "-v", "0")
    attached = (
        "c = connection.cursor();"
        " c.execute(\"SELECT contype FROM pg_constraint WHERE conname = 'my_uniq'\");"
        " print(c.fetchall())"
    )
    assert project.python(attached) == "[('u',)]\n"
    project.must("migrate", "shop", "0001", "-v", "0")


def test_an_index_of_another_meaning_is_not_taken_for_the_constraints(project: Project) -> None:
    if not project.has(CONCURRENTLY):
        pytest.skip("the database builds no index concurrently")
    project.must("make_unique", ITEM, "--fields", "name", "--concurrently", "--name", "my_uniq")
    project.python("connection.cursor().execute('CREATE UNIQUE INDEX my_uniq ON shop_item (code)')")
    assert project.refuses("migrate", "-v", "0") == (
        "shop.Item: there is another index of the name my_uniq; drop it, or give the constraint"
        " another name"
    )


def test_a_model_of_an_installed_package_is_refused_without_an_app(untouched: Project) -> None:
    models = untouched.folder / "site-packages" / "vendor" / "models.py"
    assert untouched.refuses("make_unique", "vendor.Account", "--fields", "email") == (
        f"vendor.Account is not the project's to edit: {models} belongs to an installed package;"
        " --into-app APP puts the constraint into the migrations of an app of yours"
    )


@pytest.mark.parametrize("options", [[], ["--concurrently"]], ids=["plain", "concurrently"])
def test_an_app_carries_the_constraint_of_an_installed_package(
    project: Project, options: list[str]
) -> None:
    key = ["vendor.Account", "--fields", "email", "--into-app", "shop"]
    project.must("make_unique", *key, *options)
    assert "0002_vendor_account_unique_email" in project.migrations()
    assert list(project.migrations("site-packages/vendor")) == ["0001_initial"]
    said = project.python(
        """
call_command("makemigrations", check_changes=True)
call_command("migrate", verbosity=0)
make('vendor.Account', email='a')
print("after:", fails('vendor.Account', email='a'))
call_command("migrate", "shop", "0001", verbosity=0)
print("back:", fails('vendor.Account', email='a'))
"""
    )
    assert said == "No changes detected\nafter: True\nback: False\n"
    project.python("apps.get_model('vendor.Account').objects.all().delete()")
    again = project.must("make_unique", *key)
    assert again.endswith(
        "of migration shop.0002_vendor_account_unique_email is not in the database: its migration"
        " has not been applied; migrate: manage.py migrate shop. Nothing was written.\n"
    )
    project.must("migrate", "-v", "0")
    again = project.must("make_unique", *key)
    assert again.endswith(
        "of migration shop.0002_vendor_account_unique_email covers it. Nothing was written.\n"
    )


@pytest.mark.parametrize(
    "change", ["year = models.FloatField()", "new = models.IntegerField()"], ids=["alter", "add"]
)
def test_models_that_have_changed_since_their_migration_are_refused(
    project: Project, change: str
) -> None:
    path = project.folder / "shop" / "models.py"
    path.write_text(path.read_text().replace("    is_gone =", f"    {change}\n    is_gone ="))
    assert project.refuses("make_unique", ITEM, "--fields", "name") == (
        "app 'shop' has model changes without a migration; run manage.py makemigrations shop first"
    )


def test_migrations_that_lie_elsewhere_stay_there(project: Project) -> None:
    (project.folder / "shop" / "migrations").rename(project.folder / "steps")
    with (project.folder / "settings.py").open("a") as settings:
        settings.write('MIGRATION_MODULES = {"shop": "steps"}\n')
    project.must("make_unique", ITEM, "--fields", "name")
    assert (project.folder / "steps" / "0002_item_unique_name.py").exists()
    project.must("makemigrations", "--check")
    project.must("migrate", "-v", "0")


def test_an_app_without_migrations_is_refused(project: Project) -> None:
    with (project.folder / "settings.py").open("a") as settings:
        settings.write('MIGRATION_MODULES = {"shop": None}\n')
    assert project.refuses("make_unique", ITEM, "--fields", "name") == (
        "MIGRATION_MODULES switches off the migrations of 'shop'"
    )
    shutil.rmtree(project.folder / "shop" / "migrations")
    with (project.folder / "settings.py").open("a") as settings:
        settings.write("MIGRATION_MODULES = {}\n")
    assert project.refuses("make_unique", ITEM, "--fields", "name") == (
        "app 'shop' has no migrations yet; run manage.py makemigrations shop"
    )


def test_two_last_migrations_are_refused(project: Project) -> None:
    for name in ("0002_one", "0002_two"):
        (project.folder / "shop" / "migrations" / f"{name}.py").write_text(
            "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
            '    dependencies = [("shop", "0001_initial")]\n'
        )
    assert project.refuses("make_unique", ITEM, "--fields", "name") == (
        "app 'shop' has 2 last migrations (0002_one, 0002_two);"
        " run manage.py makemigrations --merge first"
    )


def test_an_unmanaged_model_is_refused_with_the_sql(untouched: Project) -> None:
    error = untouched.refuses("make_unique", "shop.Legacy", "--fields", "name")
    assert error.startswith(
        "shop.Legacy is unmanaged, so migrations would do nothing; run this yourself: "
    )
    assert "UNIQUE" in error


WRONG = {
    "unknown_model": (["shop.Itm", "--fields", "name"], "did you mean shop.Item"),
    "unknown_field": ([ITEM, "--fields", "nam"], "did you mean name?"),
    "unknown_style": (
        [ITEM, "--fields", "name", "--style", "constrain"],
        "--style takes unique_together, constraint or generated, not 'constrain'; did you mean",
    ),
    "unknown_app": (
        ["vendor.Account", "--fields", "email", "--into-app", "shp"],
        "there is no app 'shp'; did you mean shop?",
    ),
    "an_app_for_a_model_of_ones_own": (
        [ITEM, "--fields", "name", "--into-app", "shop"],
        "shop.Item is the project's own: leave out --into-app",
    ),
    "an_app_of_someone_else": (
        ["vendor.Account", "--fields", "email", "--into-app", "contenttypes"],
        "the migrations of app 'contenttypes' are not yours",
    ),
    "a_name_that_is_taken": (
        [ITEM, "--fields", "name", "--name", "shop_not_free"],
        "--name 'shop_not_free' is taken, by shop.Price",
    ),
    "a_name_with_spaces": (
        [ITEM, "--fields", "name", "--name", "my name"],
        "--name 'my name': a name has letters, digits and underscores",
    ),
    "unique_together_and_a_name": (
        [ITEM, "--fields", "name", "--name", "x", "--style", "unique_together"],
        "shop.Item: unique_together cannot be the style: it has no name, and --name gives one",
    ),
    "unique_together_and_a_transform": (
        [ITEM, "--fields", "name__lower", "--style", "unique_together"],
        "unique_together cannot be the style: it cannot hold the transforms of name__lower",
    ),
    "a_generated_column_of_what_has_one": (
        [ITEM, "--fields", "name", "--style", "generated"],
        "shop.Item: the style cannot be generated: its fields have columns already",
    ),
    "a_generated_column_with_a_condition_across_a_relation": (
        ["shop.Tag", "--fields", "name", "--style", "generated", "--where", "item__year=1"],
        "'constraints' refers to the joined field 'item__year'. (models.E041)",
    ),
    "a_generated_column_with_a_name": (
        [ITEM, "--fields", "name__lower", "--style", "generated", "--name", "x"],
        "the style cannot be generated with --name, --concurrently or --into-app",
    ),
    "a_generated_column_of_what_may_change": (
        ["shop.Tag", "--fields", "item", "changed__date", "--style", "generated"],
        "changed__date may come out differently the next time, so no column can hold it",
    ),
    "fields_of_two_tables": (
        ["shop.Special", "--fields", "name", "extra"],
        "the key spans the tables of shop.Item and shop.Special; no unique constraint can",
    ),
    "a_condition_of_another_table": (
        ["shop.Special", "--fields", "name", "--where", "extra=x"],
        "whose constraint cannot have a condition on extra",
    ),
    "a_condition_across_a_relation": (
        ["shop.Tag", "--fields", "name", "--where", "item__year=1"],
        "'constraints' refers to the joined field 'item__year'. (models.E041)",
    ),
}


@pytest.mark.parametrize(("options", "reason"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_is_one_line_and_changes_nothing(
    untouched: Project, options: list[str], reason: str
) -> None:
    assert reason in untouched.refuses("make_unique", *options)


UNSUPPORTED = {
    "conditions": (["--where", "is_gone=false"], CONDITIONS, "with a condition (--where, --blanks"),
    "blanks": (["--blanks", "distinct"], CONDITIONS, "with a condition (--where, --blanks"),
    "expressions": (["--ignore-case"], EXPRESSIONS, "on an expression (name__lower, year)"),
    "nulls": (["--nulls", "equal"], NULLS, "in which NULLs are equal (--nulls equal)"),
}


@pytest.mark.parametrize(("options", "feature", "what"), UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_what_the_database_cannot_keep_is_refused(
    untouched: Project, options: list[str], feature: str, what: str
) -> None:
    if untouched.has(feature):
        pytest.skip(f"the database has {feature}")
    error = untouched.refuses("make_unique", ITEM, "--fields", "name", "year", *options)
    assert f"has no such thing as a unique constraint {what}" in error
    assert "Django would create nothing there, and the race would go on; instead, a Gen" in error


_SHAKEN = {"mysql": "CONCAT(%(expressions)s, RAND())"}
SHAKEN = f"""

class Shaken(models.Transform):
    lookup_name = "shaken"
    template = "{_SHAKEN.get(connection.vendor, "(%(expressions)s || RANDOM())")}"
    output_field = models.CharField()


models.CharField.register_lookup(Shaken)
"""


def test_an_expression_that_the_database_refuses_is_refused_before_anything_is_written(
    project: Project,
) -> None:
    path = project.folder / "shop" / "models.py"
    path.write_text(path.read_text() + SHAKEN)
    error = project.refuses("make_unique", ITEM, "--fields", "name__shaken")
    if not project.has(EXPRESSIONS):
        assert "on an expression (name__shaken)" in error
        return
    assert error.startswith(
        "shop.Item: database 'default' refuses such a constraint on name__shaken: "
    )
    assert "keep the result in a column and make that unique" in error
    left = "print(connection.introspection.table_names())"
    assert "dedupe_tried" not in project.python(left)


@pytest.mark.parametrize("columns", [40, 200])
def test_a_terminal_of_any_width_shows_the_whole_edit(untouched: Project, columns: int) -> None:
    # a progress bar takes itself away at a terminal, and would be in the way here
    line = ("make_unique", "shop.Item", "--fields", "name", "--dry-run", "-v", "0")
    code, shown = untouched.at_terminal(*line, columns=columns)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r\n", "\n")
    assert code == 0
    assert _without_minute(plain) == _without_minute(untouched.must(*line))
    assert "\x1b" in shown


def _without_minute(diff: str) -> str:
    """The migration says when it was generated, and the two are not at once."""
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d", "then", diff)


ARRIVING = """
from dedupe_toolkit.signals import post_merge

arrivals = iter(range({times}))

def arrive(**_):
    for _ in arrivals:
        make("shop.Item", name="a")
        make("shop.Item", name="late")
        return

post_merge.connect(arrive, weak=False)
"""
UNTIL = """
call_command("make_unique", "shop.Item", "--fields", "name", "--merge-until-unique")
"""
AT_THE_LAST_MOMENT = """
late = iter(["a"] * {times})

def before(execute, sql, params, many, context):
    is_tried = "dedupe_tried" in sql
    if not is_tried and sql.startswith(("ALTER TABLE", "CREATE UNIQUE", 'INSERT INTO "new__')):
        for name in late:
            make("shop.Item", name=name)
            break
    return execute(sql, params, many, context)

with connection.execute_wrapper(before):
    call_command("make_unique", "shop.Item", "--fields", "name", "--merge-until-unique")
"""


def test_a_table_that_is_written_to_is_merged_until_the_constraint_sticks(project: Project) -> None:
    project.python("for name in 'aa': make('shop.Item', name=name)")
    printed = project.python(ARRIVING.format(times=3) + UNTIL)
    assert "Merge run 4: 2 of 2 groups merged." in printed
    assert printed.splitlines()[-1] == "shop.Item is unique by name, after 1 round."
    assert project.python("print(fails('shop.Item', name='a'))") == "True\n"
    project.must("makemigrations", "--check")


def test_a_duplicate_that_arrives_at_the_last_moment_costs_a_round(project: Project) -> None:
    project.python("make('shop.Item', name='a')")
    printed = project.python(AT_THE_LAST_MOMENT.format(times=1))
    assert "Round 1: the constraint was refused" in printed
    assert printed.splitlines()[-1] == "shop.Item is unique by name, after 2 rounds."
    assert project.python("print(fails('shop.Item', name='a'))") == "True\n"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (ARRIVING.format(times=1000) + UNTIL, "still arrive after 10 rounds, so nothing"),
        (AT_THE_LAST_MOMENT.format(times=1000), "still arrive after 10 rounds"),
    ],
    ids=["before it is written", "while it is applied"],
)
def test_the_number_of_rounds_is_bounded(project: Project, code: str, words: str) -> None:
    project.python("for name in 'aa': make('shop.Item', name=name)")
    tried = f"try:\n{indent(code, '    ')}\nexcept Exception as error: print(error)\n"
    assert words in project.python(tried).splitlines()[-1]
    assert project.python("print(fails('shop.Item', name='b'))") == "False\n"


def test_modules_that_import_each_other_are_imported_as_the_project_does(project: Project) -> None:
    """First what URLs lead to, then migrations: the other way round, some projects fail."""
    shop = project.folder / "shop"
    (shop / "graph.py").write_text("from shop.tasks import TASK\n\nAPI = TASK\n")
    (shop / "tasks.py").write_text("TASK = 1\n\nfrom shop.graph import API\n")
    (shop / "urls.py").write_text("import shop.tasks\n\nurlpatterns = []\n")
    migration = shop / "migrations" / "0001_initial.py"
    migration.write_text(f"import shop.graph\n{migration.read_text()}")
    settings = project.folder / "settings.py"
    settings.write_text(f'{settings.read_text()}\nROOT_URLCONF = "shop.urls"\n')
    project.must("make_unique", "shop.Item", "--fields", "name", "code")
    assert "unique_together" in project.models


def test_a_project_that_cannot_be_imported_is_told_so_in_one_line(project: Project) -> None:
    (project.folder / "shop" / "urls.py").write_text("from shop.models import Missing\n")
    settings = project.folder / "settings.py"
    settings.write_text(f'{settings.read_text()}\nROOT_URLCONF = "shop.urls"\n')
    said = project.refuses("make_unique", "shop.Item", "--fields", "name")
    assert "the project cannot be imported: cannot import name 'Missing'" in said
    assert "shop/urls.py:1" in said
    assert len(said.strip().splitlines()) == 1


def test_the_quotes_of_the_file_are_kept(project: Project) -> None:
    models = project.folder / "shop" / "models.py"
    models.write_text(project.models.replace('"', "'"))
    project.must("make_unique", "shop.Item", "--fields", "name", "code")
    assert "unique_together = [('name', 'code')]" in project.models
    if project.has(EXPRESSIONS):
        where = ["--where", "code=x"] if project.has(CONDITIONS) else []
        project.must("make_unique", "shop.Item", "--fields", "name__lower", *where)
    assert '"' not in project.models


CALLS = """\
from .models import Item, Special


def exact(name):
    return Item.objects.get_or_create(name=name)


def wider(name, code):
    return Item.objects.get_or_create(name=name, code=code)


def child(name, extra):
    return Special.objects.get_or_create(name=name, extra=extra)


def by_hand(name):
    try:
        return Item.objects.get(name=name)
    except Item.DoesNotExist:
        return Item.objects.create(name=name)


def other(code):
    return Item.objects.get_or_create(code=code)


def accepted(name, code):
    return Item.objects.get_or_create(name=name, code=code)  # dedupe: safe — one worker
"""


def told_of_calls(project: Project, *options: str) -> list[str]:
    """What is said of the calls between the diff and the last line."""
    (project.folder / "shop" / "views.py").write_text(CALLS)
    printed = project.must("make_unique", ITEM, "--fields", *options)
    return printed.partition("With it, ")[2].splitlines()[:-1]


def test_calls_that_the_constraint_does_not_make_safe_are_told_what_to_become(
    project: Project,
) -> None:
    first, *calls = told_of_calls(project, "name")
    assert first == "3 calls still need a change:"
    assert [line.partition(": shop")[0] for line in calls[::2]] == [
        "shop/views.py:9: fragile",
        "shop/views.py:13: fragile",
        "shop/views.py:17: fragile",
    ]
    assert [line.strip() for line in calls[1::2]] == [
        "better: Item.objects.get_or_create(name=name, defaults={'code': code})",
        "better: Special.objects.get_or_create(name=name, defaults={'extra': extra})",
        "better: obj, created = Item.objects.get_or_create(name=name)",
    ]


def test_a_call_that_looks_up_less_than_the_constraint_stays_unsafe_and_is_told_so(
    project: Project,
) -> None:
    calls = told_of_calls(project, "name", "code")
    assert calls[0] == "4 calls still need a change:"
    assert calls[1].startswith("shop/views.py:5: unsafe: shop.Item by name: ")
    assert "to decide: look up code as well, or make the look-up itself unique" in calls[2]


def test_where_no_call_looks_the_key_up_nothing_is_said_of_calls(project: Project) -> None:
    assert told_of_calls(project, "year") == []


def test_another_spelling_under_a_constraint_without_case_is_told_what_to_become(
    project: Project,
) -> None:
    if not project.has(EXPRESSIONS):
        pytest.skip("the database has no constraints on expressions")
    calls = told_of_calls(project, "name", "--ignore-case")
    assert "better: Item.objects.get_or_create(name__iexact=name, defaults={'name': name})" in [
        line.strip() for line in calls
    ]


FOLDED = ("name", "--ignore-case")
BOTH = ("--ignore-case", "--ignore-space")

# the key, two rows that are equal on it, and what the source has afterwards
IN_COLUMNS: dict[str, tuple[tuple[str, ...], str, str, str]] = {
    "alone": (
        ("name", *BOTH),
        "dict(name='Ann  Lee')",
        "dict(name=' ann lee')",
        '    class Meta:\n        unique_together = [("name_collapse_lower",)]\n',
    ),
    "beside_others": (
        ("name__lower", "code"),
        "dict(name='a', code='x')",
        "dict(name='A', code='x')",
        "    is_gone = models.BooleanField(default=False)\n"
        "    name_lower = models.GeneratedField(\n"
        '        expression=Lower("name"),\n'
        "        output_field=models.CharField(max_length=50),\n"
        "        db_persist=True,\n"
        "    )\n"
        "\n"
        "    class Meta:\n"
        '        unique_together = [("name_lower", "code")]\n',
    ),
}


@pytest.mark.parametrize("situation", IN_COLUMNS.values(), ids=IN_COLUMNS)
def test_a_key_is_kept_in_generated_columns_and_taken_back(
    project: Project, situation: tuple[tuple[str, ...], str, str, str]
) -> None:
    if not project.has(GENERATED):
        pytest.skip("the database has no generated columns")
    key, first, second, source = situation
    project.python(f"make({ITEM!r}, **{first})")
    project.must("make_unique", ITEM, "--fields", *key, "--style", "generated")
    assert source in project.models
    said = project.python(
        f"""
def columns():
    with connection.cursor() as cursor:
        return len(connection.introspection.get_table_description(cursor, "shop_item"))
before = columns()
call_command("makemigrations", check_changes=True)
call_command("migrate", "shop", verbosity=0)
print("after:", fails({ITEM!r}, **{second}), columns() - before)
call_command("migrate", "shop", "0001", verbosity=0)
print("back:", columns() - before)
"""
    )
    assert said == "No changes detected\nafter: True 1\nback: 0\n"


ROWS = """
rows = [
    dict(name=name, code=code, year=year, is_gone=is_gone)
    for name in ("Ann  Lee", "ann lee", "")
    for code in ("", "x")
    for year in (None, 0, 1)
    for is_gone in (False, True)
]
pairs = [(one, other) for at, one in enumerate(rows) for other in rows[at:]]
"""
FOUND = """
import io, json
def is_found(one, other):
    with transaction.atomic():
        for row in (one, other):
            make("shop.Item", **row)
        said = io.StringIO()
        line = ["find_duplicates", "shop.Item", "--fields", *{key}, "--format", "json"]
        call_command(*line, stdout=said)
        transaction.set_rollback(True)
    return json.loads(said.getvalue())["keys"][0]["groups"]
print([is_found(*pair) for pair in pairs])
"""
REFUSED = """
def is_refused(one, other):
    with transaction.atomic():
        make("shop.Item", **one)
        refused = fails("shop.Item", **other)
        transaction.set_rollback(True)
    return int(refused)
call_command("migrate", verbosity=0)
print([is_refused(*pair) for pair in pairs])
call_command("makemigrations", check_changes=True)
call_command("make_unique", "shop.Item", "--fields", *{key})
"""
POLICIES = {
    "a_condition": ["name", "year", "--where", "is_gone=false"],
    "nulls_that_are_equal": ["year", "--nulls", "equal"],
    "blanks_that_are_distinct": ["code", "name", "--blanks", "distinct"],
    "all_of_it_and_transforms": [
        *("name", "year", "code", *BOTH, "--nulls", "equal", "--blanks", "distinct"),
        *("--where", "is_gone=true"),
    ],
}


@pytest.mark.parametrize("key", POLICIES.values(), ids=POLICIES)
def test_generated_columns_refuse_exactly_the_duplicates_of_the_key(
    project: Project, key: list[str]
) -> None:
    if not project.has(GENERATED):
        pytest.skip("the database has no generated columns")
    found = project.python(ROWS + FOUND.format(key=key))
    project.must("make_unique", ITEM, "--fields", *key, "--style", "generated")
    said = project.python(ROWS + REFUSED.format(key=key))
    assert said.startswith(f"{found}No changes detected\nshop.Item cannot have duplicates on ")
    assert "1" in found


TEXTS = """
rows = [
    dict(name=name, code=code)
    for name in ("a", "A", "")
    for code in (None, "", "x", "X")
]
pairs = [(one, other) for at, one in enumerate(rows) for other in rows[at:]]
"""
TEXT_KEYS = {
    "alone": ["code"],
    "transformed": ["code__lower"],
    "both_spellings_of_it": ["code", "code__lower"],
    "beside_another": ["name", "code__lower"],
    "under_a_condition": ["code", "--where", "name=a"],
}


def changed(project: Project, old: str, new: str) -> None:
    """The models with something else in them, migrated."""
    models = project.folder / "shop" / "models.py"
    assert old in project.models
    models.write_text(project.models.replace(old, new, 1))
    project.must("makemigrations", "shop", "-v", "0")
    project.must("migrate", "-v", "0")


@pytest.mark.parametrize("key", TEXT_KEYS.values(), ids=TEXT_KEYS)
@pytest.mark.parametrize("style", ["generated", "constraint"])
def test_texts_may_be_empty_or_null_and_are_refused_where_they_are_found(
    project: Project, key: list[str], style: str
) -> None:
    if not all(map(project.has, [GENERATED] if style == "generated" else [CONDITIONS, NULLS])):
        pytest.skip(f"the database has no {style} for that")
    changed(project, "max_length=20, blank=True", "max_length=20, blank=True, null=True")
    line = [*key, "--nulls", "equal", "--blanks", "distinct"]
    found = project.python(TEXTS + FOUND.format(key=line))
    project.must("make_unique", ITEM, "--fields", *line, "--style", style)
    said = project.python(TEXTS + REFUSED.format(key=line))
    assert said.startswith(f"{found}No changes detected\nshop.Item cannot have duplicates on ")
    assert "1" in found


TYPED = """

class Own(models.CharField):
    def __init__(self, *args, **options):
        super().__init__(*args, **{**options, "max_length": 30})

    def deconstruct(self):
        name, path, args, options = super().deconstruct()
        del options["max_length"]
        return name, path, args, options


class Typed(models.Model):
    url = models.URLField(null=True)
    email = models.EmailField(null=True)
    slug = models.SlugField(null=True)
    own = Own(null=True)
    price = models.DecimalField(max_digits=9, decimal_places=3, null=True)
    real = models.FloatField(null=True)
    is_new = models.BooleanField(null=True)
    day = models.DateField(null=True)
    moment = models.DateTimeField(null=True)
    clock = models.TimeField(null=True)
    token = models.UUIDField(null=True)
    path = models.FilePathField(null=True)
    address = models.GenericIPAddressField(null=True)
    data = models.JSONField(null=True)
    raw = models.BinaryField(null=True)
    span = models.DurationField(null=True)
"""
STANDING_IN = {
    "texts": "dict(url='', email='', slug='', own='')",
    "numbers": "dict(price=0, real=0, is_new=False)",
    "times": "dict(day='1970-01-01', moment='1970-01-01T00:00:00Z', clock='00:00', token='0' * 32)",
}
APART = """
call_command("makemigrations", check_changes=True)
label, values = "shop.Typed", {values}
rows = [values, *(dict(values, **{{name: None}}) for name in values)]
print([fails(label, **row) for row in rows], [fails(label, **row) for row in rows])
"""


def typed(project: Project) -> list[str]:
    """The beginning of a line about a model that has a field of each type."""
    if not project.has(GENERATED):
        pytest.skip("the database has no generated columns")
    changed(project, "\n\nclass Special", f"{TYPED}\n\nclass Special")
    return ["make_unique", "shop.Typed", "--style", "generated", "--fields"]


@pytest.mark.parametrize("values", STANDING_IN.values(), ids=STANDING_IN)
def test_null_is_not_equal_to_the_value_that_stands_in_for_it(
    project: Project, values: str
) -> None:
    names = list(eval(values))  # noqa: S307
    project.must(*typed(project), *names, "--nulls", "equal")
    project.must("migrate", "-v", "0")
    said = project.python(APART.format(values=values))
    rows = 1 + len(names)
    assert said == f"No changes detected\n{[False] * rows} {[True] * rows}\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [("url", "https://example.org"), ("own", "a"), ("path", "/a")],
)
def test_a_column_is_as_wide_as_the_field_that_it_is_made_of(
    project: Project, name: str, value: str
) -> None:
    project.must(*typed(project), name, "--where", "slug=a")
    project.must("migrate", "-v", "0")
    row = f"slug='a', {name}={value!r}"
    tried = f"print(fails('shop.Typed', {row}), fails('shop.Typed', {row}))"
    assert project.python(tried) == "False True\n"
    project.must("makemigrations", "--check")


@pytest.mark.parametrize("name", ["path", "address", "data", "raw", "span"])
def test_a_field_for_whose_null_nothing_can_stand_in_is_refused(
    project: Project, name: str
) -> None:
    line = typed(project)
    assert project.refuses(*line, name, "--nulls", "equal") == (
        f"shop.Typed: no value can stand in for NULL in {name}, so no column can hold NULLs that"
        " are equal"
    )


def test_a_condition_on_the_numbers_of_rows_is_migrated_or_refused_before_it_is_written(
    project: Project,
) -> None:
    if not project.has(GENERATED):
        pytest.skip("the database has no generated columns")
    line = ("make_unique", ITEM, "--style", "generated", "--fields", "code", "--where", "id__gt=0")
    # what MariaDB and MySQL count up themselves, no column may be made of
    if connection.vendor == "mysql":
        assert "cannot keep code in generated columns" in project.refuses(*line)
        project.must(*line[:-1], "year__gt=0")
    else:
        project.must(*line)
    project.must("migrate", "-v", "0")


def with_generated_column(project: Project) -> None:
    """A key that the database works out, unique and migrated."""
    if not project.has(GENERATED):
        pytest.skip("the database has no generated columns")
    project.must("make_unique", ITEM, "--fields", *FOLDED, "--style", "generated")
    project.must("migrate", "-v", "0")


def test_a_key_in_a_generated_column_is_known_to_be_covered(project: Project) -> None:
    with_generated_column(project)
    (project.folder / "shop" / "views.py").write_text(
        "from .models import Item\n\n\ndef one(name):\n"
        '    return Item.objects.get_or_create(name__iexact=name, defaults={"name": name})\n'
    )
    written = project.files()
    assert project.must("make_unique", ITEM, "--fields", "code", *FOLDED) == (
        "shop.Item cannot have duplicates on code__lower, name__lower any more: unique_together"
        " (name_lower) covers it. Nothing was written.\n"
    )
    assert project.files() == written
    found = project.must("audit_get_or_create", "shop")
    assert "shop/views.py:5: safe: shop.Item by name__iexact: unique (name_lower)" in found


CURRENT = ("name", "--where", "is_gone=false", "--style", "generated")
CALLS_OF_CURRENT = """\
from .models import Item


def calls(name, year):
    Item.objects.get_or_create(name=name, is_gone=False)
    Item.objects.get_or_create(name=name)
    Item.objects.get_or_create(name=name, is_gone=True)
    Item.objects.get_or_create(year=None)
    Item.objects.get_or_create(year=year)
"""


def test_the_audit_reads_a_condition_and_equal_nulls_out_of_generated_columns(
    project: Project,
) -> None:
    if not project.has(GENERATED):
        pytest.skip("the database has no generated columns")
    project.must("make_unique", ITEM, "--fields", *CURRENT)
    project.must("migrate", "-v", "0")
    years = ("year", "--nulls", "equal", "--style", "generated")
    project.must("make_unique", ITEM, "--fields", *years)
    project.must("migrate", "-v", "0")
    (project.folder / "shop" / "views.py").write_text(CALLS_OF_CURRENT)
    found = project.must("audit_get_or_create", "shop").splitlines()
    verdicts = [line.split(": ")[1] for line in found if line.startswith("shop/views.py")]
    assert verdicts == ["safe", "fragile", "unsafe", "safe", "safe"], found


FLAGGED = """

class {name}(models.Model):
    name = models.CharField(max_length=20)
    n = models.IntegerField(null=True)
    m = models.IntegerField(default=0)
    n_missing = models.GeneratedField(
        expression={expression},
        output_field=models.BooleanField(),
        db_persist=True,
    )
    n_or_m = models.GeneratedField(
        expression=Coalesce("n", {other}),
        output_field=models.IntegerField(),
        db_persist=True,
    )

    class Meta:
        unique_together = [{fields}]
"""
FLAG = "models.Case(models.When(n__isnull=True, then=True), default=False)"
BY_NAME = "{0}.objects.get_or_create(name=name)"
BY_BOTH = "{0}.objects.get_or_create(name=name, n=n)"
FLAGGED_MODELS: dict[str, tuple[str, str, str, list[str]]] = {
    "Alone": (FLAG, '"m"', '("name", "n_missing")', ["unsafe", "fragile"]),
    "Asked": ("models.Q(n__isnull=True)", '"m"', '("name", "n_missing")', ["unsafe", "unsafe"]),
    "OtherField": (FLAG, '"m"', '("name", "n_missing", "n_or_m")', ["unsafe", "unsafe"]),
    "Folded": (FLAG, "models.Value(0)", '("name", "n_missing", "n_or_m")', ["unsafe", "safe"]),
}


def test_the_audit_takes_a_flag_for_a_value_where_nothing_stands_in_for_the_null(
    project: Project,
) -> None:
    if not project.has(GENERATED):
        pytest.skip("the database has no generated columns")
    written = ["\n\nfrom django.db.models.functions import Coalesce\n"]
    calls, expected = ["from .models import *", "", "", "def calls(name, n):"], []
    for name, (expression, other, fields, verdicts) in FLAGGED_MODELS.items():
        values = {"expression": expression, "other": other, "fields": fields}
        written.append(FLAGGED.format(name=name, **values))
        calls += [f"    {call.format(name)}" for call in (BY_NAME, BY_BOTH)]
        expected += verdicts
    changed(project, "\n\nclass Special", f"{''.join(written)}\n\nclass Special")
    (project.folder / "shop" / "views.py").write_text("\n".join(calls) + "\n")
    found = project.must("audit_get_or_create", "shop").splitlines()
    verdicts = [line.split(": ")[1] for line in found if line.startswith("shop/views.py")]
    assert verdicts == expected, found


def test_a_generated_column_that_the_database_lacks_covers_nothing(project: Project) -> None:
    with_generated_column(project)
    project.must("migrate", "shop", "0001", "-v", "0")
    project.python(
        "with connection.cursor() as cursor:\n"
        "    cursor.execute(\"INSERT INTO shop_item (name, code, is_gone) VALUES ('a', '', %s),\"\n"
        "        \" ('A', '', %s)\", [False, False])"
    )
    line = "manage.py merge_duplicates shop.Item --fields name__lower"
    assert project.refuses("make_unique", ITEM, "--fields", *FOLDED) == (
        "shop.Item: unique_together (name_lower) is in the model, not in the database: its"
        f" migration has not been applied; merge, then migrate: {line}, then manage.py migrate"
        " shop; shop.Item has 1 duplicate group (2 rows) on name__lower"
    )


def test_the_name_of_a_generated_column_is_not_taken_from_another_field(project: Project) -> None:
    models = project.folder / "shop" / "models.py"
    field = '    name_lower = models.CharField(max_length=9, default="")\n'
    models.write_text(project.models.replace("    code = ", f"{field}    code = ", 1))
    project.must("makemigrations", "shop", "-v", "0")
    project.must("migrate", "-v", "0")
    assert project.refuses("make_unique", ITEM, "--fields", *FOLDED, "--style", "generated") == (
        "shop.Item has a field name_lower already, which is not generated as name__lower"
    )


def test_a_generated_column_compares_as_the_column_it_is_made_of(project: Project) -> None:
    if not project.has("mysql_is_mariadb"):
        pytest.skip("a new column gets the collation of its table on MariaDB and MySQL alone")
    project.python(
        "with connection.cursor() as cursor:\n"
        "    cursor.execute('ALTER TABLE shop_item MODIFY name varchar(50) CHARACTER SET utf8mb4"
        " COLLATE utf8mb4_bin NOT NULL')\n"
        "for name in ('Zoë', 'Zoe'): make('shop.Item', name=name)"
    )
    with_generated_column(project)
    assert 'models.CharField(max_length=50, db_collation="utf8mb4_bin")' in project.models
    same = "print(fails('shop.Item', name='zoê'), fails('shop.Item', name='ZOE'))"
    assert project.python(same) == "False True\n"
