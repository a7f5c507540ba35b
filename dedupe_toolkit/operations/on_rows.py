"""What the operations on rows share: they leave the models as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.migrations.operations.base import Operation, OperationCategory

if TYPE_CHECKING:
    from collections.abc import Iterable


class OnRows(Operation):
    """On the rows of a model, perhaps one of another app, and the fields of a match key."""

    reduces_to_sql = False
    reversible = True
    category = OperationCategory.PYTHON

    def __init__(self, model_name: str, fields: Iterable[str], app_label: str | None) -> None:
        self.model_name = model_name
        self.fields = list(fields)
        self.app_label = app_label

    def state_forwards(self, app_label: str, state: Any) -> None:
        """The models stay as they are."""

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for model in self._models(app_label, schema_editor, from_state):
            self.forwards(app_label, model, schema_editor.connection.alias)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        for model in self._models(app_label, schema_editor, to_state):
            self.backwards(app_label, model, schema_editor.connection.alias)

    def forwards(self, app_label: str, model: Any, using: str) -> None:
        """Do it to the rows of the model, in a migration of an app."""
        raise NotImplementedError

    def backwards(self, app_label: str, model: Any, using: str) -> None:
        """Take it back; nothing unless an operation says otherwise."""

    def _models(self, app_label: str, schema_editor: Any, state: Any) -> list[Any]:
        """The model in a state; none where SQL is only shown, or the table is not to be there."""
        model = state.apps.get_model(self.app_label or app_label, self.model_name)
        is_there = self.allow_migrate_model(schema_editor.connection.alias, model)
        return [model] if is_there and not schema_editor.collect_sql else []
