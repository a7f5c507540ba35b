"""What ``dedupe.py`` declares: used as defaults, checked early, overruled by options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from dedupe_toolkit import MergePolicy, find_duplicates, match_key, merge, plan_merge
from dedupe_toolkit.checks import check_declarations
from dedupe_toolkit.registry import _declarations, declarations, declared, unregister
from tests.commands.kit import run
from tests.kit import assert_undo_restores, counts, merged, snapshot
from tests.situations.links.models import Author, Book, Tag
from tests.situations.odd.models import Audit
from tests.situations.rivals.models import Membership, Profile, Team, User

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.django_db


def test_declared_keys_are_searched_when_no_field_is_named(declare: Callable[..., None]) -> None:
    declare(Author, keys=["name__lower", {"fields": ["born", "bio"], "nulls": "equal"}])
    for name in ("Ann", "ANN"):
        Author.objects.create(name=name)
    keys = run("find_duplicates", "links.Author", "--format", "json").document["keys"]
    assert [(key["fields"], key["nulls"], key["groups"]) for key in keys] == [
        (["name__lower"], "distinct", 1),
        (["born", "bio"], "equal", 1),
    ]


def test_all_declared_keys_of_the_project_are_searched_when_nothing_is_named(
    declare: Callable[..., None],
) -> None:
    declare(Tag, keys=[("name",)])
    declare(Author, keys=["name"])
    keys = run("find_duplicates", "--format", "json").document["keys"]
    assert [key["model"] for key in keys] == ["films.Person", "links.Author", "links.Tag"]


def test_without_any_declared_key_the_command_says_what_to_type() -> None:
    before = list(declarations())
    for one in before:
        unregister(one.model)
    try:
        outcome = run("find_duplicates")
    finally:
        _declarations.update({one.model: one for one in before})
    assert outcome.err == (
        "CommandError: no keys are declared, and the last audit found none: name one as MODEL"
        " --fields F [F …], or run audit_get_or_create\n"
    )
    assert outcome.code == 1


def test_declared_keys_and_rules_are_the_defaults_of_a_merge(declare: Callable[..., None]) -> None:
    declare(Author, keys=["name"], survivor="newest", field_rules={"bio": "longest"})
    Author.objects.create(name="Ann", bio="the longest")
    newest = Author.objects.create(name="Ann", bio="short")
    run("merge_duplicates", "links.Author", "--no-input")
    author = Author.objects.get()
    assert (author.pk, author.bio) == (newest.pk, "the longest")


def test_options_on_the_command_line_win(declare: Callable[..., None]) -> None:
    declare(Author, keys=["name"], survivor="newest", field_rules={"bio": "longest"})
    oldest = Author.objects.create(name="Ann", bio="short")
    Author.objects.create(name="Ann", bio="the longest")
    line = ("--survivor", "oldest", "--field-rule", "bio=survivor", "--no-input")
    run("merge_duplicates", "links.Author", *line)
    author = Author.objects.get()
    assert (author.pk, author.bio) == (oldest.pk, "short")


def test_a_collision_rule_can_be_declared_for_one_reference(declare: Callable[..., None]) -> None:
    declare(User, collisions={"rivals.Profile.user": "merge"})
    users = [User.objects.create(name="Ann") for _ in range(2)]
    for user in users:
        Profile.objects.create(user=user, bio=str(user.pk))
    before = snapshot()
    run = merge(plan_merge(match_key(User, ["name"])))
    assert counts(run, "rivals.Profile.user") == (0, 0, 1)
    assert_undo_restores(run, before)
    team = Team.objects.create(name="Red")
    for user in users:
        Membership.objects.create(user=user, team=team, role=str(user.pk))
    (held,) = plan_merge(match_key(User, ["name"])).held_back
    assert held.reason.startswith("rivals.Membership: ")


def test_a_registered_column_follows_its_rows(declare: Callable[..., None]) -> None:
    declare(Author, references=["odd.Audit.author_id", "odd.Audit.author_text"])
    authors = [Author.objects.create(name="Ann") for _ in range(2)]
    for author in authors:
        Audit.objects.create(author_id=author.pk, author_text=str(author.pk))
    before = snapshot()
    run = merged(Author, "name")
    assert set(Audit.objects.values_list("author_id", "author_text")) == {
        (authors[0].pk, str(authors[0].pk))
    }
    assert counts(run, "odd.Audit.author_id") == (1, 0, 0)
    assert_undo_restores(run, before)


def test_keys_inside_json_are_replaced_and_keep_their_type(declare: Callable[..., None]) -> None:
    declare(Author, references=["odd.Audit.payload__by__id", "odd.Audit.payload__seen"])
    kept, lost, other = (Author.objects.create(name=name) for name in ("Ann", "Ann", "Bob"))
    payloads: list[Any] = [
        {"by": {"id": lost.pk, "at": 1.5}, "seen": str(lost.pk)},
        {"by": {"id": str(lost.pk)}, "seen": None},
        {"by": {"id": other.pk}, "seen": kept.pk},
        {"by": [lost.pk], "text": f"'{lost.pk}'"},
        [],
    ]
    rows = [Audit.objects.create(payload=payload) for payload in payloads]
    before = snapshot()
    run = merged(Author, "name")
    after = [Audit.objects.get(pk=row.pk).payload for row in rows]
    assert after == [
        {"by": {"id": kept.pk, "at": 1.5}, "seen": str(kept.pk)},
        {"by": {"id": str(kept.pk)}, "seen": None},
        *payloads[2:],
    ]
    assert counts(run, "odd.Audit.payload__by__id") == (2, 0, 0)
    assert counts(run, "odd.Audit.payload__seen") == (1, 0, 0)
    assert_undo_restores(run, before)


def test_a_registered_column_may_hold_another_unique_field(declare: Callable[..., None]) -> None:
    from tests.situations.keyed.models import Country

    declare(Country, references={"odd.Audit.author_text": "code"})
    for code in ("FR", "FRA"):
        Country.objects.create(name="France", code=code)
        Audit.objects.create(author_text=code)
    before = snapshot()
    run = merged(Country, "name")
    assert set(Audit.objects.values_list("author_text", flat=True)) == {"FR"}
    assert_undo_restores(run, before)


@pytest.mark.parametrize(
    ("options", "number", "message"),
    [
        ({"keys": ["nme"]}, "E001", "links.Author has no field 'nme'; did you mean name?"),
        (
            {"keys": [{"fields": ["name"], "null": "equal"}]},
            "E001",
            "links.Author: match_key() got an unexpected keyword argument 'null'",
        ),
        (
            {"field_rules": {"bio": "longst"}},
            "E002",
            "links.Author: field rule bio=longst: 'longst' is no field rule",
        ),
        ({"survivor": "oldst"}, "E003", "links.Author: 'oldst' is no survivor rule"),
        (
            {"on_collision": "mrge"},
            "E004",
            "links.Author: on_collision is 'mrge', not one of hold, merge, discard;"
            " did you mean merge?",
        ),
        (
            {"collisions": {"links.Book.author": "drop"}},
            "E004",
            "links.Author: collisions['links.Book.author'] is 'drop', not one of",
        ),
        (
            {"references": ["odd.Audit.autor_id"]},
            "E005",
            "links.Author: reference 'odd.Audit.autor_id': odd.Audit has no field 'autor_id';"
            " did you mean author_id or author_text?",
        ),
        (
            {"references": ["odd.Audit.payload"]},
            "E005",
            "links.Author: reference 'odd.Audit.payload': name the path in the JSON value:"
            " odd.Audit.payload__key",
        ),
        (
            {"references": ["odd.Audit.author_id__x"]},
            "E005",
            "links.Author: reference 'odd.Audit.author_id__x': author_id is a BigIntegerField,"
            " it has no paths",
        ),
        (
            {"references": {"odd.Audit.author_text": "bio"}},
            "E005",
            "links.Author: reference 'odd.Audit.author_text': links.Author.bio is not unique",
        ),
    ],
    ids=lambda part: part if isinstance(part, str) and part.startswith("E0") else "",
)
def test_what_is_wrong_in_a_declaration_is_a_system_check(
    declare: Callable[..., None], options: dict[str, Any], number: str, message: str
) -> None:
    declare(Author, **options)
    (error,) = check_declarations()
    assert error.id == f"dedupe_toolkit.{number}"
    assert error.msg.startswith(message)
    assert error.hint


def test_a_sound_declaration_passes_the_checks(declare: Callable[..., None]) -> None:
    declare(
        Author,
        keys=["name", ("name", "born")],
        survivor="-born,name",
        field_rules={"bio": "concat"},
        collisions={"links.Book.author": "merge"},
        references=["odd.Audit.author_id"],
    )
    assert check_declarations() == []


def test_an_app_is_asked_for_its_declarations_at_start() -> None:
    from testproject.films.models import Person

    declaration = declared(Person)
    assert declaration is not None
    assert find_duplicates(declaration.match_keys()[0]).groups == 0


def test_a_policy_given_in_python_replaces_the_declared_one(declare: Callable[..., None]) -> None:
    declare(Author, survivor="newest")
    rows = [Author.objects.create(name="Ann") for _ in range(2)]
    merge(plan_merge(match_key(Author, ["name"]), policy=MergePolicy()))
    assert Author.objects.get() == rows[0]
    assert not Book.objects.exists()
