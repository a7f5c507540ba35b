"""Keys that are kept unique in generated columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection

from tests.source.kit import CONDITIONS, ITEM, NULLS

if TYPE_CHECKING:
    from tests.source.project import Project

GENERATED = "features.supports_stored_generated_columns"

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
with transaction.atomic():
    made = apps.get_model("shop.Item").objects
    # each of them twice, so that each is also found to be equal to itself, or not
    copies = [[made.create(**row).pk for row in rows] for _ in range(2)]
    said = io.StringIO()
    line = ["find_duplicates", "shop.Item", "--fields", *{key}, "--format", "json", "--limit", "0"]
    call_command(*line, stdout=said)
    transaction.set_rollback(True)
groups = [
    {{group["survivor"], *group["duplicates"]}}
    for group in json.loads(said.getvalue())["keys"][0]["duplicate_groups"]
]
def is_found(one, other):
    pair = {{copies[0][rows.index(one)], copies[1][rows.index(other)]}}
    return int(any(pair <= group for group in groups))
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
