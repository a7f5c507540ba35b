"""make_unique in a project of its own: edit, migrate, migrate back, on the configured database."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from django.db import connections

from .source.project import Project, create, point_at

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_KEPT = ("ENGINE", "NAME", "USER", "PASSWORD", "HOST", "PORT", "OPTIONS")


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has its first migrations; every test works on a copy."""
    folder = tmp_path_factory.mktemp("project")
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(folder / "db.sqlite3")}
    return create(folder, database).folder


@contextmanager
def scratch_database(folder: Path, unblocked: Callable[[], Any]) -> Iterator[dict[str, Any]]:
    """A new database of the configured kind, dropped afterwards."""
    connection: Any = connections["default"]
    settings = {name: connection.settings_dict[name] for name in _KEPT}
    if not connection.settings_dict["HOST"]:
        yield {**settings, "NAME": str(folder / "db.sqlite3"), "OPTIONS": {}}
        return
    name = f"dedupe_scratch_{uuid4().hex[:12]}"
    with unblocked(), connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
    yield {**settings, "NAME": name}
    with unblocked(), connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE {name}")


@contextmanager
def migrated(template: Path, folder: Path, unblocked: Callable[[], Any]) -> Iterator[Project]:
    shutil.copytree(template, folder)
    with scratch_database(folder, unblocked) as database:
        point_at(folder, database)
        project = Project(folder=folder)
        project.must("migrate", "-v", "0")
        yield project


@pytest.fixture
def project(template: Path, tmp_path: Path, django_db_blocker: Any) -> Iterator[Project]:
    """A project of the test's own, migrated."""
    with migrated(template, tmp_path / "project", django_db_blocker.unblock) as project:
        yield project


@pytest.fixture(scope="session")
def untouched(
    template: Path, tmp_path_factory: pytest.TempPathFactory, django_db_blocker: Any
) -> Iterator[Project]:
    """A migrated project for commands that must not change it."""
    folder = tmp_path_factory.mktemp("untouched") / "project"
    with migrated(template, folder, django_db_blocker.unblock) as project:
        yield project


EXPRESSIONS = "features.supports_expression_indexes"
CONDITIONS = "features.supports_partial_indexes"
NULLS = "features.supports_nulls_distinct_unique_constraints"
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
    for wider in ([], ["year"]):
        fields = ", ".join(["name", "code", *wider])
        assert project.must("make_unique", *key, *wider) == (
            f"shop.Item cannot have duplicates on {fields} any more: {covered} covers it."
            " Nothing was written.\n"
        )
    assert project.files() == written


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


def test_a_migration_stops_on_duplicates_before_it_changes_anything(project: Project) -> None:
    project.must("make_unique", ITEM, "--fields", "name")
    project.python("for name in 'aabbbc': make('shop.Item', name=name)")
    assert project.refuses("migrate", "-v", "0") == (
        "shop.Item has 2 duplicate groups (5 rows) on name, first 'b' (3 rows); 'a' (2 rows);"
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
        "shop.Item has 2 duplicate groups (4 rows) on name, first 'a' (2 rows); 'b' (2 rows);"
        f" nothing was changed by this migration; run {merging}, then migrate again; {TELL_APART}"
    )
    project.must(*merging.split()[1:], "--no-input")
    assert project.refuses("migrate", "-v", "0") == (
        "shop.Item has 1 duplicate group (2 rows) on name, first 'a' (2 rows);"
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


def test_a_migration_can_keep_the_values_to_itself(project: Project) -> None:
    project.must("make_unique", ITEM, "--fields", "name")
    path = project.folder / "shop" / "migrations" / "0002_item_unique_name.py"
    path.write_text(path.read_text().replace("['name'],", "['name'], show_values=False,"))
    project.python("for name in 'aa': make('shop.Item', name=name)")
    assert "has 1 duplicate group (2 rows) on name; nothing" in project.refuses("migrate", "-v0")


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
        "--style takes unique_together or constraint, not 'constrain'; did you mean constraint?",
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
    assert error.endswith("Django would create nothing there, and the race would go on")
