"""An index of the journal that Django has no class for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    from django.db.backends.base.schema import BaseDatabaseSchemaEditor
    from django.db.backends.ddl_references import Statement


class FilledIndex(models.Index):
    """An index by one column that leaves its NULLs out; on MariaDB and MySQL it has them, too.

    Django's own ``condition`` would have every check of such a database say that it is ignored.
    """

    def create_sql(
        self,
        model: type[models.Model],
        schema_editor: BaseDatabaseSchemaEditor,
        using: str = "",
        **kwargs: Any,
    ) -> Statement:
        (name,) = self.fields
        filled = models.Q(**{f"{name}__isnull": False})
        index = models.Index(fields=[name], name=self.name, condition=filled)
        return index.create_sql(model, schema_editor, using=using, **kwargs)
