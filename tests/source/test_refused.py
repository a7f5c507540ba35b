"""What make_unique refuses in one line, with nothing changed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from django.db import connection

from tests.source.kit import CONDITIONS, EXPRESSIONS, ITEM, NULLS

if TYPE_CHECKING:
    from tests.source.project import Project


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


def test_a_column_that_an_unmanaged_model_would_need_is_left_to_its_table(
    untouched: Project,
) -> None:
    options = ["--fields", "name", "--ignore-case", "--style", "generated"]
    error = untouched.refuses("make_unique", "shop.Legacy", *options)
    columns = "make generated columns that hold name__lower unique"
    todo = "run this yourself: " if untouched.has(EXPRESSIONS) else columns
    assert f"shop.Legacy is unmanaged, so migrations would do nothing; {todo}" in error
    assert "None" not in error


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("make_unique", []),
        ("make_unique", ["--style", "generated", "--ignore-case"]),
        ("dedupe", []),
        ("find_duplicates", []),
    ],
)
def test_a_view_is_called_one_and_nothing_is_advised_that_views_cannot_have(
    project: Project, command: str, options: list[str]
) -> None:
    view = "CREATE VIEW shop_legacy AS SELECT id, name FROM shop_item"
    project.python(f"connection.cursor().execute({view!r})")
    error = project.refuses(command, "shop.Legacy", "--fields", "name", *options)
    assert error.startswith("shop.Legacy is a view, ")
    assert "run this yourself" not in error


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
