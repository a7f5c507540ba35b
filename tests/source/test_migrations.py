"""The migration that make_unique writes: where it lies, what it says, for whose model it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.source.kit import ITEM
from tests.source.project import CONCURRENTLY

if TYPE_CHECKING:
    from tests.source.project import Project


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


def test_sqlmigrate_shows_the_constraint_and_looks_at_no_row(project: Project) -> None:
    project.must("make_unique", ITEM, "--fields", "name", "--concurrently")
    project.python("for name in 'aa': make('shop.Item', name=name)")
    sql = project.must("sqlmigrate", "shop", "0002")
    assert "UNIQUE" in sql
    assert "-- THIS OPERATION CANNOT BE WRITTEN AS SQL" in sql


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


def test_migrations_that_lie_elsewhere_stay_there(project: Project) -> None:
    (project.folder / "shop" / "migrations").rename(project.folder / "steps")
    with (project.folder / "settings.py").open("a") as settings:
        settings.write('MIGRATION_MODULES = {"shop": "steps"}\n')
    project.must("make_unique", ITEM, "--fields", "name")
    assert (project.folder / "steps" / "0002_item_unique_name.py").exists()
    project.must("makemigrations", "--check")
    project.must("migrate", "-v", "0")
