"""make_unique in a project of its own: edit, migrate, migrate back, on the configured database."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.source.kit import CONDITIONS, EXPRESSIONS, ITEM, NULLS

if TYPE_CHECKING:
    from tests.source.project import Project

ROW = "dict(name='a', code='x', year=1)"

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
