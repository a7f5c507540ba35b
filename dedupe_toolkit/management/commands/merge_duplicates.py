"""Merges the rows of each duplicate group into one."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import dedupe_toolkit

from ...errors import InvalidOption
from ...keys import check_alias, resolve_model, row_set
from ...registry import declared_policy
from ...reports import (
    Format,
    as_json,
    merge_csv,
    plan_document,
    print_plan,
    print_run,
    run_document,
)
from ...values import OnCollision, OnConflict
from ..base import DedupeCommand
from ..confirm import confirmed
from ..options import add_key_arguments, keys_from_options, one_of, whole_number
from ..progress import progress_bar

if TYPE_CHECKING:
    from django.core.management.base import CommandParser
    from django.db.models import Model

    from ...models import MergeRun
    from ...values import MatchKey, MergePlan, MergePolicy, RowSet

HELD_BACK = 3
"""The exit code when some groups were held back and the others merged."""


class Command(DedupeCommand):
    help = (
        "Merge the rows of each duplicate group into one: every reference is repointed, every"
        " change is journaled, and the run can be undone."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("model", metavar="MODEL", help="The model: app_label.ModelName.")
        add_key_arguments(parser)
        _add_rows(parser)
        _add_policy(parser)
        parser.add_argument("--dry-run", action="store_true", help="Show the plan, write nothing.")
        parser.add_argument(
            "--no-input", "--noinput", action="store_true", help="Do not ask for confirmation."
        )
        parser.add_argument(
            "--format",
            default=Format.TABLE.value,
            metavar="|".join(Format),
            help="How to print (default: table).",
        )

    def handle(self, **options: Any) -> None:
        shape = one_of("--format", options["format"], Format)
        documents, is_held = [], False
        for source in _sources(options):
            document = self._merge_source(source, options, shape)
            documents.append(document)
            is_held = is_held or bool(document["held_back"])
        if shape == Format.JSON:
            self.stdout.write(as_json(documents[0] if len(documents) == 1 else documents))
        elif shape == Format.CSV:
            self.stdout.write("\n".join(map(merge_csv, documents)))
        if is_held:
            sys.exit(HELD_BACK)

    def _merge_source(
        self, source: MatchKey | RowSet, options: dict[str, Any], shape: str
    ) -> dict[str, Any]:
        policy = policy_from_options(source.model, options)
        plan = dedupe_toolkit.plan_merge(source, using=options["database"], policy=policy)
        if shape == Format.TABLE:
            print_plan(self.console, plan)
        if not plan.groups or options["dry_run"] or not self._is_confirmed(plan, options):
            return plan_document(plan)
        run = self._merge(plan, options["verbosity"])
        if shape == Format.TABLE:
            print_run(self.console, run, plan.using)
        return run_document(plan, run)

    def _is_confirmed(self, plan: MergePlan, options: dict[str, Any]) -> bool:
        question = f"Merge {plan.rows_to_merge:,} rows of {plan.source.label}?"
        # with every group held back nothing is merged, and the reasons are kept for review
        if not plan.mergeable or options["no_input"] or confirmed(self.stderr, question):
            return True
        self.stderr.write("Nothing was merged.")
        return False

    def _merge(self, plan: MergePlan, verbosity: int) -> MergeRun:
        with progress_bar("Merging", verbosity) as progress:
            return dedupe_toolkit.merge(plan, progress=progress)


def _add_rows(parser: CommandParser) -> None:
    group = parser.add_argument_group("rows named one by one")
    group.add_argument(
        "--pks",
        nargs="+",
        metavar="PK",
        help="Merge these rows into one; composite keys as JSON lists.",
    )
    group.add_argument("--into", metavar="PK", help="The row of --pks that survives.")


def _add_policy(parser: CommandParser) -> None:
    group = parser.add_argument_group("merge policy")
    group.add_argument(
        "--survivor",
        metavar="RULE",
        help="Which row survives: oldest (default), newest, most-referenced, most-complete,"
        " or an ordering such as -updated_at,created.",
    )
    group.add_argument(
        "--field-rule",
        action="append",
        default=[],
        metavar="FIELD=RULE",
        help="Which value a field of the survivor gets; can be repeated.",
    )
    group.add_argument(
        "--on-collision",
        metavar="|".join(OnCollision),
        help="What to do with two rows that would break a unique rule (default: hold).",
    )
    group.add_argument(
        "--on-conflict",
        metavar="|".join(OnConflict),
        help="What to do when rows differ in a field without a rule (default: survivor).",
    )
    group.add_argument(
        "--batch-size", metavar="N", help="Groups in one transaction (0: all in one)."
    )
    group.add_argument("--limit", metavar="N", help="Merge at most N groups.")


def _sources(options: dict[str, Any]) -> tuple[MatchKey | RowSet, ...]:
    if options["pks"]:
        if options["fields"]:
            raise InvalidOption("--pks and --fields exclude each other: name rows, or a key")
        check_alias(options["database"])
        model = resolve_model(options["model"])
        return (row_set(model, options["pks"], into=options["into"]),)
    if options["into"] is not None:
        raise InvalidOption("--into goes with --pks: it names one of the rows given there")
    return keys_from_options(options)


def policy_from_options(model: type[Model], options: dict[str, Any]) -> MergePolicy:
    """The declared policy of the model, with what the command line says put over it."""
    given: dict[str, Any] = {}
    if options["survivor"]:
        given["survivor"] = options["survivor"]
    for name, kind in (("on_collision", OnCollision), ("on_conflict", OnConflict)):
        if options[name] is not None:
            given[name] = kind(one_of(f"--{name.replace('_', '-')}", options[name], kind))
    for name, least in (("batch_size", 0), ("limit", 1)):
        if options[name] is not None:
            option = f"--{name.replace('_', '-')}"
            given[name] = whole_number(option, options[name], least=least)
    rules = dict(map(_field_rule, options["field_rule"]))
    if "on_collision" in given:
        given["collisions"] = {}
    policy = declared_policy(model, **given)
    return replace(policy, field_rules={**policy.field_rules, **rules})


def _field_rule(text: str) -> tuple[str, str]:
    field, equals, rule = text.partition("=")
    if not (field and equals and rule):
        raise InvalidOption(f"--field-rule takes FIELD=RULE, not {text!r}")
    return field, rule
