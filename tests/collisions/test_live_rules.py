"""What the catalogue says of unique rules, and what follows where the model says otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection, models
from django.db.models.functions import Lower
from django.test.utils import isolate_apps

from dedupe_toolkit import find_duplicates, match_key, merge, plan_merge, row_set
from dedupe_toolkit.databases import database
from dedupe_toolkit.databases.sqlite_rules import taken_apart
from dedupe_toolkit.errors import ConstraintRefused, MergeRefused
from dedupe_toolkit.references.unique import rule_standings, unique_rules
from dedupe_toolkit.source.constraints import constraint_for, refuse_untenable
from tests.kit import passed_by
from tests.situations.joined.models import Box, Part
from tests.situations.odd.models import Person
from tests.situations.rivals.models import Membership, Profile, Team, User, Visit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dedupe_toolkit.databases.rules import LiveRule

TABLE = "live_rules_row"


def run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def table(transactional_db: None) -> Iterator[None]:
    """A table that no model makes."""
    run(
        f"CREATE TABLE {TABLE} (id integer PRIMARY KEY, name varchar(50) NOT NULL,"
        " code varchar(50) NULL, gone integer NOT NULL)"
    )
    yield
    run(f"DROP TABLE {TABLE}")


def row_model(**options: Any) -> type[models.Model]:
    """A model of that table, with these options."""
    is_unique = options.pop("is_unique", False)
    with isolate_apps("tests.situations.odd"):

        class Row(models.Model):
            id = models.IntegerField(primary_key=True)
            name = models.CharField(max_length=50, unique=is_unique)
            code = models.CharField(max_length=50, null=True)
            gone = models.IntegerField()

            class Meta:
                app_label = "odd"
                managed = False
                db_table = TABLE

        Row._meta.unique_together = options.get("unique_together", ())
        Row._meta.constraints = options.get("constraints", [])
    return Row


def live(name: str) -> LiveRule:
    """The one rule of the table with this name."""
    (rule,) = [one for one in database("default").rules(row_model()) if one.name == name]
    return rule


def needs(feature: str) -> None:
    if not getattr(connection.features, feature):
        pytest.skip(f"the database lacks {feature}")


def test_the_primary_key_comes_first_and_plain_rules_tell_their_columns(table: None) -> None:
    run(f"CREATE UNIQUE INDEX live_plain ON {TABLE} (gone, name)")
    key, plain = database("default").rules(row_model())
    assert (key.is_primary_key, key.columns) == (True, ("id",))
    assert (plain.name, plain.columns, plain.is_plain) == ("live_plain", ("gone", "name"), True)
    assert (plain.is_primary_key, plain.is_valid, plain.nulls_distinct) == (False, True, True)


def test_an_index_that_is_not_unique_is_no_rule(table: None) -> None:
    run(f"CREATE INDEX live_index ON {TABLE} (name)")
    assert [one.is_primary_key for one in database("default").rules(row_model())] == [True]


def test_a_table_that_is_not_there_has_no_rules(transactional_db: None) -> None:
    assert database("default").rules(row_model()) == ()


def test_all_tables_are_asked_in_one_statement(table: None, django_assert_num_queries: Any) -> None:
    found = database("default")
    with django_assert_num_queries(1):
        found.read_rules([row_model(), Person, User])
        assert found.rules(Person)
        assert found.rules(User)


def test_a_condition_is_read(table: None) -> None:
    needs("supports_partial_indexes")
    run(f"CREATE UNIQUE INDEX live_some ON {TABLE} (name) WHERE gone = 0 AND name <> 'a,)b'")
    rule = live("live_some")
    assert (rule.columns, rule.is_plain, rule.is_total) == (("name",), False, False)
    assert "gone = 0" in rule.condition
    assert "a,)b" in rule.condition


def test_an_expression_is_read_and_no_column(table: None) -> None:
    needs("supports_expression_indexes")
    run(f"CREATE UNIQUE INDEX live_lower ON {TABLE} (gone, (lower(name)) DESC)")
    rule = live("live_lower")
    assert rule.columns == ("gone",)
    assert len(rule.expressions) == 1
    assert "lower(" in rule.expressions[0]


def test_a_column_in_another_collation_is_another_value(table: None) -> None:
    collation = {"sqlite": "NOCASE", "postgresql": '"C"'}.get(connection.vendor)
    if collation is None:
        pytest.skip("the database has no collations of an index")
    run(f"CREATE UNIQUE INDEX live_collated ON {TABLE} (name COLLATE {collation})")
    rule = live("live_collated")
    assert rule.columns == ()
    assert "COLLATE" in rule.expressions[0]


def test_nulls_that_are_equal_are_read(table: None) -> None:
    needs("supports_nulls_distinct_unique_constraints")
    run(f"CREATE UNIQUE INDEX live_nulls ON {TABLE} (code) NULLS NOT DISTINCT")
    assert live("live_nulls").nulls_distinct is False


def test_a_deferrable_constraint_is_told_apart(table: None) -> None:
    needs("supports_deferrable_unique_constraints")
    run(f"ALTER TABLE {TABLE} ADD CONSTRAINT live_later UNIQUE (name) DEFERRABLE")
    assert live("live_later").is_deferrable


def test_the_beginning_of_a_column_is_no_column_and_covers_it_all_the_same(table: None) -> None:
    if connection.vendor != "mysql":
        pytest.skip("the database has no indexes on beginnings")
    run(f"CREATE UNIQUE INDEX live_beginning ON {TABLE} (name(10), gone)")
    rule = live("live_beginning")
    assert (rule.columns, rule.prefixes, rule.is_plain) == (("gone",), (("name", 10),), False)
    assert rule.is_total
    assert rule.compared == {"name", "gone"}


def test_an_ignored_index_is_a_rule_all_the_same(table: None) -> None:
    if connection.vendor != "mysql":
        pytest.skip("the database has no ignored indexes")
    run(
        f"CREATE UNIQUE INDEX live_ignored ON {TABLE} (name)",
        f"ALTER TABLE {TABLE} ALTER INDEX live_ignored {passed_by()}",
        f"INSERT INTO {TABLE} VALUES (1, 'a', NULL, 0)",
    )
    assert live("live_ignored").is_valid
    with pytest.raises(Exception, match="Duplicate"):
        run(f"INSERT INTO {TABLE} VALUES (2, 'a', NULL, 0)")


def invalidate(name: str) -> None:
    run(f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{name}'::regclass")


def test_an_invalid_index_is_checked_and_not_valid(table: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("the database has no invalid indexes")
    run(f"CREATE UNIQUE INDEX live_invalid ON {TABLE} (name)")
    invalidate("live_invalid")
    rule = live("live_invalid")
    assert (rule.is_valid, rule.is_checked) == (False, True)
    (standing,) = rule_standings(row_model(is_unique=True), database("default"))[1:]
    assert not standing.is_valid
    assert [one.columns for one in unique_rules(row_model(), database("default"))] == [
        ("id",),
        ("name",),
    ]


def test_tables_of_the_same_name_in_other_schemas_do_not_count(table: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("the database has no schemas")
    run(
        "CREATE SCHEMA live_other",
        f"CREATE TABLE live_other.{TABLE} (id integer PRIMARY KEY, name varchar(50) UNIQUE)",
    )
    try:
        assert len(database("default").rules(row_model())) == 1
    finally:
        run("DROP SCHEMA live_other CASCADE")


def test_what_only_the_model_declares_is_no_rule(table: None) -> None:
    model = row_model(is_unique=True, unique_together=[("name", "gone")])
    found = database("default")
    assert [(one.text, one.live) for one in rule_standings(model, found)[1:]] == [
        ("name (unique=True)", None),
        ("unique_together (name, gone)", None),
    ]
    assert [one.is_primary_key for one in unique_rules(model, found)] == [True]


def test_what_only_the_database_has_is_a_rule(table: None) -> None:
    run(f"CREATE UNIQUE INDEX live_own ON {TABLE} (name, gone)")
    (standing,) = rule_standings(row_model(), database("default"))[1:]
    assert (standing.declared, standing.text) == (None, "the database's own unique index live_own")
    _, rule = unique_rules(row_model(), database("default"))
    assert (rule.columns, rule.text) == (("name", "gone"), "unique (name, gone)")


def test_a_rule_of_both_is_one_whatever_its_name_and_order(table: None) -> None:
    run(
        f"CREATE UNIQUE INDEX live_one ON {TABLE} (gone, name)",
        f"CREATE UNIQUE INDEX live_two ON {TABLE} (name, gone)",
    )
    constraint = models.UniqueConstraint(fields=["gone", "name"], name="live_three")
    model = row_model(unique_together=[("name", "gone")], constraints=[constraint])
    standings = rule_standings(model, database("default"))
    assert [one.text for one in standings] == [
        "the primary key",
        "unique_together (name, gone)",
        "the constraint live_three",
    ]
    assert all(one.is_valid for one in standings)


def test_a_constraint_of_the_same_name_but_other_columns_is_another(table: None) -> None:
    run(f"CREATE UNIQUE INDEX live_name ON {TABLE} (gone)")
    constraint = models.UniqueConstraint(fields=["name"], name="live_name")
    standings = rule_standings(row_model(constraints=[constraint]), database("default"))
    assert [one.is_valid for one in standings] == [True, False, True]


@pytest.mark.parametrize(
    ("sql", "parts", "condition"),
    [
        ("CREATE UNIQUE INDEX i ON t (a, b)", ["a", "b"], ""),
        ('CREATE UNIQUE INDEX "i(" ON "t)" ("a,b" ASC)', ['"a,b"'], ""),
        ("CREATE UNIQUE INDEX i ON t (max(a, b), c COLLATE NOCASE desc)", None, ""),
        ("CREATE UNIQUE INDEX i ON t (a) where (b = 'x)') -- so", ["a"], "(b = 'x)')"),
        ("CREATE UNIQUE INDEX i ON t (/* ( */ a -- ,\n, b - 1)", ["a", "b - 1"], ""),
    ],
)
def test_an_index_of_sqlite_is_taken_apart(
    sql: str, parts: list[str] | None, condition: str
) -> None:
    assert taken_apart(sql) == (parts or ["max(a, b)", "c COLLATE NOCASE"], condition)


@pytest.mark.parametrize(
    ("constraint", "feature"),
    [
        (models.UniqueConstraint(fields=["gone", "name"], name="live_tried"), ""),
        (
            models.UniqueConstraint(
                fields=["name"], condition=models.Q(gone__lt=2), name="live_tried"
            ),
            "supports_partial_indexes",
        ),
        (
            models.UniqueConstraint("gone", Lower("name").desc(), name="live_tried"),
            "supports_expression_indexes",
        ),
    ],
    ids=["plain", "condition", "expression"],
)
def test_a_rule_is_tried_as_the_catalogue_would_have_it_and_is_gone(
    table: None, constraint: models.UniqueConstraint, feature: str
) -> None:
    if feature:
        needs(feature)
    model, found = row_model(), database("default")
    tried = found.try_rule(model, constraint)
    assert len(database("default").rules(model)) == 1
    if tried is None:
        return
    with connection.schema_editor() as editor:
        editor.add_constraint(row_model(constraints=[constraint]), constraint)
    made = database("default").rules(model)[-1]
    assert (tried.columns, tried.expressions, tried.condition) == (
        made.columns,
        made.expressions,
        made.condition,
    )


def test_a_value_too_long_for_an_index_is_found_before_the_rule_is_made(table: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("the database's indexes take values of any length")
    run(
        f"ALTER TABLE {TABLE} ALTER name TYPE text",
        f"INSERT INTO {TABLE} SELECT 1, string_agg(md5(n::text), ''), NULL, 0"
        " FROM generate_series(1, 1000) n",
    )
    with isolate_apps("tests.situations.odd"):

        class Row(models.Model):
            id = models.IntegerField(primary_key=True)
            name = models.TextField()

            class Meta:
                app_label = "odd"
                managed = False
                db_table = TABLE

    key = match_key(Row, ["name"])
    with pytest.raises(ConstraintRefused, match=r"index row .* keep a hash of it"):
        refuse_untenable(key, constraint_for(key), "default")
    run(f"UPDATE {TABLE} SET name = repeat('x', 30000)")
    refuse_untenable(key, constraint_for(key), "default")


def two_users(name: str = "Ann") -> list[User]:
    return [User.objects.create(name=name) for _ in range(2)]


def held_reasons() -> list[str]:
    """Why groups are held back; the run agrees with its plan."""
    plan = plan_merge(match_key(User, ["name"]))
    run_of_it = merge(plan)
    assert len(run_of_it.held_back) == len(plan.held_back)
    return [group.reason for group in plan.held_back]


@pytest.mark.parametrize(
    ("index", "feature", "text"),
    [
        ("(day, user_id)", "", "unique (day, user)"),
        ("(user_id) WHERE day > 1", "supports_partial_indexes", "unique index live_hand"),
        ("((day * day), user_id)", "supports_expression_indexes", "unique index live_hand"),
    ],
    ids=["plain", "condition", "expression"],
)
def test_a_merge_holds_by_a_rule_that_only_the_database_has(
    transactional_db: None, index: str, feature: str, text: str
) -> None:
    if feature:
        needs(feature)
    first, second = (
        Visit.objects.create(user=user, team=Team.objects.create(name=name), day=3).pk
        for user, name in zip(two_users(), "ab", strict=True)
    )
    run(f"CREATE UNIQUE INDEX live_hand ON {Visit._meta.db_table} {index}")
    try:
        assert held_reasons() == [f"rivals.Visit: rows {first} and {second} would break {text}"]
    finally:
        on = f" ON {Visit._meta.db_table}" if connection.vendor == "mysql" else ""
        run(f"DROP INDEX live_hand{on}")


def test_rows_outside_the_condition_of_the_databases_own_rule_do_not_collide(
    transactional_db: None,
) -> None:
    needs("supports_partial_indexes")
    for user, day in zip(two_users(), (1, 2), strict=True):
        Visit.objects.create(user=user, team=Team.objects.create(name="a"), day=day)
    run(f"CREATE UNIQUE INDEX live_hand ON {Visit._meta.db_table} (user_id, team_id) WHERE day > 1")
    try:
        assert held_reasons() == []
        assert Visit.objects.count() == 2
    finally:
        run("DROP INDEX live_hand")


@pytest.fixture
def lost_rule(transactional_db: None) -> Iterator[None]:
    """A rule of a model that the database has lost."""
    options = Membership._meta.unique_together
    with connection.schema_editor() as editor:
        editor.alter_unique_together(Membership, options, ())
    yield
    Membership.objects.all().delete()
    with connection.schema_editor() as editor:
        editor.alter_unique_together(Membership, (), options)


def test_rows_do_not_collide_by_a_rule_that_only_the_model_has(lost_rule: None) -> None:
    team = Team.objects.create(name="a")
    for user in two_users():
        Membership.objects.create(user=user, team=team, role=str(user.pk))
    assert held_reasons() == []
    assert Membership.objects.filter(user=User.objects.get()).count() == 2


def test_a_plan_names_the_rules_of_models_that_the_database_does_not_keep(lost_rule: None) -> None:
    two_users()
    assert plan_merge(match_key(User, ["name"])).warnings == ()
    team = Team.objects.create(name="a")
    for user in User.objects.all():
        Membership.objects.create(user=user, team=team)
    assert plan_merge(match_key(User, ["name"])).warnings == (
        "rivals.Membership: unique_together (user, team) is in the model, not in the database:"
        " rows that break it are not held back",
    )


def test_duplicates_of_a_key_that_only_the_model_makes_unique_are_found_and_merged(
    lost_rule: None,
) -> None:
    team, (user, _) = Team.objects.create(name="a"), two_users()
    for _ in range(2):
        Membership.objects.create(user=user, team=team)
    key = match_key(Membership, ["user", "team"])
    assert find_duplicates(key).groups == 1
    merge(plan_merge(key))
    assert Membership.objects.count() == 1


def test_a_key_that_the_database_keeps_unique_has_no_duplicates_to_find(
    transactional_db: None,
) -> None:
    two_users()
    assert find_duplicates(match_key(User, ["id"])).groups == 0
    assert plan_merge(match_key(Profile, ["user"])).groups == 0


def test_rows_that_share_a_primary_key_are_named_and_not_merged(transactional_db: None) -> None:
    run(
        f"CREATE TABLE {TABLE} (id integer, name varchar(50), code varchar(50), gone integer)",
        f"INSERT INTO {TABLE} VALUES (1, 'a', NULL, 0), (1, 'a', NULL, 0), (2, 'b', NULL, 0)",
    )
    try:
        for fields in (["id"], ["name"]):
            with pytest.raises(MergeRefused, match="2 rows share 1: nothing tells them apart"):
                plan_merge(match_key(row_model(), fields))
        run(f"UPDATE {TABLE} SET id = 3, gone = 1 WHERE gone = 0 AND id = 2")
        run(f"DELETE FROM {TABLE} WHERE id = 1", f"INSERT INTO {TABLE} VALUES (1, 'b', NULL, 0)")
        assert plan_merge(match_key(row_model(), ["name"])).mergeable == 1
    finally:
        run(f"DROP TABLE {TABLE}")


@pytest.fixture
def lost_label(transactional_db: None) -> Iterator[None]:
    """A value that rows are pointed at by, which the database has ceased to keep unique."""
    kept = Box._meta.get_field("label")
    lost = models.CharField(max_length=20)
    lost.set_attributes_from_name("label")
    lost.model = Box
    with connection.schema_editor() as editor:
        editor.alter_field(Box, kept, lost)
    yield
    Box.objects.all().delete()
    with connection.schema_editor() as editor:
        editor.alter_field(Box, lost, kept)


def test_a_value_that_rows_are_known_by_and_that_two_may_share_refuses_the_merge(
    lost_label: None,
) -> None:
    parts = [Part.objects.create(maker=1, code=str(n)) for n in range(2)]
    boxes = [Box.objects.create(part=part, label="same") for part in parts]
    with pytest.raises(MergeRefused, match=r"rows of joined\.Content\.box point at it by label"):
        plan_merge(row_set(Box, [box.pk for box in boxes]))
