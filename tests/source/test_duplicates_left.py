"""make_unique while there are duplicates: counted, merged first, or stopping the migration."""

from __future__ import annotations

from textwrap import indent
from typing import TYPE_CHECKING

import pytest

from tests.source.kit import CONDITIONS, ITEM

if TYPE_CHECKING:
    from tests.source.project import Project


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


def test_rows_outside_the_condition_do_not_stop_a_migration(project: Project) -> None:
    if not project.has(CONDITIONS):
        pytest.skip("the database has no partial indexes")
    project.python("for _ in 'aa': make('shop.Item', name='a', is_gone=True)")
    project.must("make_unique", ITEM, "--fields", "name", "--where", "is_gone=false")
    project.must("migrate", "-v", "0")
    assert project.python("print(fails('shop.Item', name='a'), fails('shop.Item', name='a'))") == (
        "False True\n"
    )


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
