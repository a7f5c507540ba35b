"""The options that say how to merge, the same in every command that merges."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..collisions.resolutions import kept_ties, names_for_all
from ..errors import InvalidOption
from ..field_rules.rules import RULES as FIELD_RULES
from ..finding.survivor_rules import RULES
from ..registry import declared_policy
from ..values import OnConflict
from .options import add_options, duration, one_of, whole_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.management.base import CommandParser
    from django.db.models import Model

    from ..values import MergePolicy


def survivor_rules() -> str:
    """The survivor rules, the default first, as help texts list them."""
    default, *others = RULES
    return f"{default} (default), {', '.join(others)}, or an ordering such as -updated_at,created"


def add_policy_arguments(parser: CommandParser) -> None:
    """Add what decides who survives, which values, and what to do where rows collide."""
    group = parser.add_argument_group("merge policy")
    add_options(group, {"--survivor RULE": f"Which row survives: {survivor_rules()}."})
    group.add_argument(
        "--field-rule",
        action="append",
        default=[],
        metavar="FIELD=RULE",
        help="Which value a field of the survivor gets; can be repeated. The rules:"
        f" {', '.join(FIELD_RULES)}.",
    )
    add_options(
        group,
        {
            f"--on-collision {'|'.join(names_for_all())}": "What to do with two rows that would"
            " break a unique rule (default: hold).",
            f"--on-conflict {'|'.join(OnConflict)}": "What to do when rows differ in a field"
            " without a rule (default: survivor).",
            "--batch-size N": "Groups in one transaction (0: all in one).",
            "--batch-seconds TIME": "How long a transaction may take: it has as many groups as fit"
            " (default: 0.5s, and 0.3s on SQLite).",
            "--pause TIME": "Rest between two transactions (default: none, and 0.15s on SQLite"
            " where they go by time).",
            "--lock-timeout TIME": "How long a batch waits for rows that others hold (default on"
            " servers: 2s; 0s: as the session has it).",
        },
    )


def policy_from_options(model: type[Model], options: dict[str, Any]) -> MergePolicy:
    """The declared policy of the model, with what the command line says put over it."""
    given: dict[str, Any] = {}
    if options["survivor"] is not None:
        given["survivor"] = options["survivor"]
    for name, known in (("on_collision", names_for_all()), ("on_conflict", OnConflict)):
        if options[name] is not None:
            given[name] = one_of(f"--{name.replace('_', '-')}", options[name], known)
    for name, least in (("batch_size", 0), ("limit", 1)):
        if options.get(name) is not None:
            option = f"--{name.replace('_', '-')}"
            given[name] = whole_number(option, options[name], least=least)
    for name in ("batch_seconds", "pause", "lock_timeout"):
        if options.get(name) is not None:
            given[name] = duration(f"--{name.replace('_', '-')}", options[name])
    rules = _field_rules(options["field_rule"])
    if "on_collision" in given:
        given["collisions"] = kept_ties(model)
    policy = declared_policy(model, **given)
    return replace(policy, field_rules={**policy.field_rules, **rules})


def _field_rules(texts: Sequence[str]) -> dict[str, str]:
    rules: dict[str, str] = {}
    for text in texts:
        field, equals, rule = text.partition("=")
        if not (field and equals and rule):
            raise InvalidOption(f"--field-rule takes FIELD=RULE, not {text!r}")
        if field in rules:
            raise InvalidOption(f"--field-rule is given twice for {field!r}")
        rules[field] = rule
    return rules
