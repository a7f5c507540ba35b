"""Why a database lacks a unique rule that the model declares, and what to do. Only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations import AddConstraint, AlterField, AlterUniqueTogether
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState
from django.db.models import UniqueConstraint

from ..command_lines import migrate_line
from ..databases.caching import cached
from ..operations import ForOtherApp
from .covered import says_the_same

if TYPE_CHECKING:
    from django.db.models import Model

    from ..references.unique import RuleStanding
    from ..references.unique_declared import DeclaredRule
    from .foreign import ForeignRule

_MAKES_A_RULE = (AddConstraint, AlterField, AlterUniqueTogether, ForOtherApp)


@dataclass(frozen=True, kw_only=True)
class Pending:
    """A rule that the model declares and the database does not keep.

    ``where`` says what is the matter, ``verb`` and ``steps`` what to do; ``is_applied`` whether
    the migration that makes it is recorded as applied, so that migrating alone changes nothing.
    """

    where: str
    verb: str
    steps: tuple[str, ...]
    is_applied: bool = True

    def sentence(self, merging: str = "") -> str:
        """All of it; ``merging`` is the command that merges the duplicates, if there are any."""
        verb = f"merge, then {self.verb}" if merging else self.verb
        return f"{self.where}; {verb}: {', then '.join(filter(None, [merging, *self.steps]))}"


@dataclass(frozen=True, kw_only=True)
class _Maker:
    """The migration that makes a rule; without a ``name`` it is not written yet."""

    app_label: str
    name: str = ""
    previous: str = "zero"
    is_applied: bool = False
    can_run_again: bool = False


def why_pending(standing: RuleStanding, using: str) -> Pending:
    """What keeps a declared rule out of the database ``using``."""
    model, rule = standing.model, standing.declared
    if rule is None:
        raise ValueError("only the database has this rule")
    missing = f"{rule.text} is in the model, not in the database{_named(using)}"
    sql = _sql(model, rule, using)
    maker = _maker(model, rule, using)
    if maker is None:
        why = "no migration makes it" if model._meta.managed else "the model is unmanaged"
        return Pending(where=f"{missing}: {why}", verb="run", steps=(sql,))
    if standing.live and maker.is_applied:
        index = connections[using].ops.quote_name(standing.live.name)
        if not standing.live.is_valid:
            return _invalid(rule, index, using)
        return _unlike(rule, index, (_dropping(model, rule, using), sql))
    return _by_maker(missing, maker, sql, using)


def foreign_pending(model: type[Model], rule: ForeignRule, using: str) -> Pending:
    """What keeps the constraint of another app's migration out of the database ``using``."""
    loader = _loader(using)
    maker = _known_maker((rule.app_label, rule.migration), loader, using)
    missing = f"{rule.text} is not in the database{_named(using)}"
    return _by_maker(missing, maker, _constraint_sql(model, rule.constraint, using), using)


def _by_maker(missing: str, maker: _Maker, sql: str, using: str) -> Pending:
    app, migrate = maker.app_label, migrate_line(maker.app_label, using)
    if not maker.name:
        return Pending(
            where=f"{missing}: its migration has not been written",
            verb="make migrations and migrate",
            steps=(f"manage.py makemigrations {app}", migrate),
            is_applied=False,
        )
    if not maker.is_applied:
        return Pending(
            where=f"{missing}: its migration has not been applied",
            verb="migrate",
            steps=(migrate,),
            is_applied=False,
        )
    again = (f"{migrate} {maker.previous} --fake", migrate)
    return Pending(
        where=f"{missing}, though migration {app}.{maker.name} is recorded as applied: it was"
        " faked, or the rule was dropped since",
        verb="put it back",
        steps=again if maker.can_run_again else (sql,),
    )


def _invalid(rule: DeclaredRule, index: str, using: str) -> Pending:
    return Pending(
        where=f"{rule.text} is in the model, but its index in the database{_named(using)} is"
        " invalid and keeps nothing unique",
        verb="build it again",
        steps=(f"REINDEX INDEX CONCURRENTLY {index}",),
    )


def _unlike(rule: DeclaredRule, index: str, steps: tuple[str, ...]) -> Pending:
    return Pending(
        where=f"{rule.text} is in the model, but the database's index {index} says something else",
        verb="replace it",
        steps=steps,
    )


@cached
def _loader(using: str) -> MigrationLoader:
    return MigrationLoader(connections[using], ignore_no_migrations=True)


def _maker(model: type[Model], rule: DeclaredRule, using: str) -> _Maker | None:
    """The migration that makes the rule; None where none ever will."""
    app = model._meta.app_label
    loader = _loader(using)
    if not model._meta.managed or model._meta.auto_created or app not in loader.migrated_apps:
        return None
    node = _first_with(model, rule, loader)
    return _known_maker(node, loader, using) if node else _Maker(app_label=app)


def _known_maker(node: tuple[str, str], loader: MigrationLoader, using: str) -> _Maker:
    app, name = node
    applied = set(MigrationRecorder(connections[using]).applied_migrations())
    parents = [
        parent.key[1] for parent in loader.graph.node_map[node].parents if parent.key[0] == app
    ]
    return _Maker(
        app_label=app,
        name=name,
        previous=parents[0] if parents else "zero",
        is_applied=node in applied,
        can_run_again=_can_run_again(node, loader, applied),
    )


def _first_with(
    model: type[Model], rule: DeclaredRule, loader: MigrationLoader
) -> tuple[str, str] | None:
    """The migration after which the model has the rule for good; None if it is not written yet."""
    app, state, found = model._meta.app_label, ProjectState(), None
    plan: list[Any] = []
    for leaf in loader.graph.leaf_nodes(app):
        plan += [node for node in loader.graph.forwards_plan(leaf) if node not in plan]
    for node in plan:
        state = loader.graph.nodes[node].mutate_state(state, preserve=False)
        if node[0] == app:
            has_it = _has(state, model, rule)
            found = (found or node) if has_it else None
    return found


def _has(state: ProjectState, model: type[Model], rule: DeclaredRule) -> bool:
    there: Any = state.models.get((model._meta.app_label, str(model._meta.model_name)))
    if there is None or rule.is_primary_key:
        return there is not None
    if rule.constraint:
        return any(
            isinstance(one, UniqueConstraint)
            and one.name == rule.constraint.name
            and says_the_same(one, rule.constraint)
            for one in there.options.get("constraints", ())
        )
    names = tuple(field.name for field in rule.fields)
    together = {tuple(some) for some in there.options.get("unique_together") or ()}
    is_unique = len(names) == 1 and getattr(there.fields.get(names[0]), "unique", False)
    return bool(is_unique or names in together)


def _can_run_again(node: Any, loader: MigrationLoader, applied: set[Any]) -> bool:
    """Whether unrecording the migration and applying it anew does nothing but make the rule."""
    others = [one for one in loader.graph.backwards_plan(node) if one in applied and one != node]
    changes = [op for op in loader.graph.nodes[node].operations if not op.elidable]
    return not others and len(changes) == 1 and isinstance(changes[0], _MAKES_A_RULE)


def _sql(model: type[Model], rule: DeclaredRule, using: str) -> str:
    if rule.constraint:
        return _constraint_sql(model, rule.constraint, using)
    connection: Any = connections[using]
    editor = connection.SchemaEditorClass(connection)
    return str(editor._create_unique_sql(model, list(rule.fields)))


def _dropping(model: type[Model], rule: DeclaredRule, using: str) -> str:
    connection: Any = connections[using]
    editor = connection.SchemaEditorClass(connection)
    # an expression or condition is only told apart where the constraint has the index's name
    return str(rule.constraint.remove_sql(model, editor)) if rule.constraint else ""


def _constraint_sql(model: type[Model], constraint: UniqueConstraint, using: str) -> str:
    connection: Any = connections[using]
    return str(constraint.create_sql(model, connection.SchemaEditorClass(connection)))


def _named(using: str) -> str:
    return "" if using == "default" else f" {using!r}"
