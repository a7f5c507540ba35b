"""How to go on with a merge run that was cut off, and how to take it back."""

from __future__ import annotations

import json
from shlex import quote
from typing import TYPE_CHECKING, Any

from ..command_lines import merge_line
from ..errors import DedupeError
from ..journal.progress import Status
from ..keys import match_key, resolve_model
from ..models import MergeRun
from ..registry import declared_policy
from .runs import undo_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import Model

    from ..journal.progress import RunProgress

_TIMES = ("batch_seconds", "pause", "lock_timeout")
_OPTIONS = ("survivor", "on_collision", "on_conflict", "batch_size")


def going_on(progress: RunProgress) -> str:
    """The command that merges what the run has left; empty if none says the same."""
    run = progress.run
    if progress.status != Status.INTERRUPTED or run.origin != MergeRun.Origin.COMMAND:
        return ""
    if progress.done >= progress.groups:  # it died when all that was left was to say so
        return ""
    try:
        model = resolve_model(run.model)
        words = [_source_line(run, model), *map(quote, _policy_words(progress, model))]
    except DedupeError:  # the model, or a field of the key, is called something else by now
        return ""
    return " ".join(words)


def taking_back(progress: RunProgress) -> str:
    """The command that undoes the run; empty if there is nothing to undo, or not yet."""
    is_over = progress.status in (Status.DONE, Status.INTERRUPTED)
    return undo_line(progress.run, progress.run.using) if is_over and progress.rows else ""


def _source_line(run: MergeRun, model: type[Model]) -> str:
    policy = run.policy
    if run.fields:
        key = match_key(
            model,
            run.fields,
            nulls=policy["nulls"],
            blanks=policy["blanks"],
            where=policy["where"],
        )
        return merge_line(key, run.using)
    words = ["--pks", *map(_key_word, policy["pks"]), "--into", _key_word(policy["into"])]
    words += [] if run.using == "default" else ["--database", run.using]
    return " ".join(map(quote, ["manage.py", "merge_duplicates", run.model, *words]))


def _key_word(pk: Any) -> str:
    return json.dumps(pk) if isinstance(pk, list) else str(pk)


def _policy_words(progress: RunProgress, model: type[Model]) -> Iterator[str]:
    """The options of the policy that are not declared of the model, and so were given."""
    policy, declared = progress.run.policy, declared_policy(model)
    for name in _OPTIONS:
        # a run of an earlier version may not have them all
        if policy.get(name, getattr(declared, name)) != getattr(declared, name):
            # with an equals sign, for an ordering may begin with a hyphen
            yield f"--{name.replace('_', '-')}={policy[name]}"
    for name in _TIMES:
        if policy.get(name) not in (None, getattr(declared, name)):
            yield f"--{name.replace('_', '-')}={policy[name]:g}s"
    for field, rule in policy["field_rules"].items():
        if rule != declared.field_rules.get(field):
            yield f"--field-rule={field}={rule}"
    if policy["limit"] is not None:
        yield f"--limit={progress.groups - progress.done}"
