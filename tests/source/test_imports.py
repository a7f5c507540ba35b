"""A name is imported where a person would put it."""

from __future__ import annotations

import pytest

from dedupe_toolkit.source.imports import with_import

FUNCTIONS = ("django.db.models.functions", "Lower")
CONSTRAINT = ("django.db.models", "UniqueConstraint")
COLLAPSE = ("dedupe_toolkit.transforms", "Collapse")

CASES = {
    "below_the_last_django_import_that_sorts_before": (
        "import os\n\nfrom django.db import models\nfrom django.utils import timezone\n\nx = 1\n",
        FUNCTIONS,
        "import os\n\nfrom django.db import models\nfrom django.db.models.functions import Lower\n"
        "from django.utils import timezone\n\nx = 1\n",
    ),
    "above_django_when_it_sorts_before": (
        "import os\n\nfrom django.db import models\n",
        COLLAPSE,
        "import os\n\nfrom dedupe_toolkit.transforms import Collapse\n"
        "from django.db import models\n",
    ),
    "into_a_sorted_import": (
        "from django.db.models import CharField, Q  # noqa\n",
        CONSTRAINT,
        "from django.db.models import CharField, Q, UniqueConstraint  # noqa\n",
    ),
    "in_alphabetical_order": (
        "from django.db.models.functions import Length, Upper as U\n",
        FUNCTIONS,
        "from django.db.models.functions import Length, Lower, Upper as U\n",
    ),
    "into_an_import_in_brackets": (
        "from django.db.models import (\n    CharField,\n)\n",
        CONSTRAINT,
        "from django.db.models import (\n    CharField,\n    UniqueConstraint,\n)\n",
    ),
    "in_order_between_brackets": (
        "from django.db.models import (\n    F,  # a comment\n    Q,\n    Value,\n)\n",
        CONSTRAINT,
        "from django.db.models import (\n    F,  # a comment\n    Q,\n    UniqueConstraint,\n"
        "    Value,\n)\n",
    ),
    "at_the_end_where_there_is_no_order_and_no_comma": (
        "from django.db.models import (\n  Q,\n  F\n)\n",
        CONSTRAINT,
        "from django.db.models import (\n  Q,\n  F,\n  UniqueConstraint\n)\n",
    ),
    "in_brackets_on_one_line": (
        "from django.db.models import (CharField, Q)\n",
        CONSTRAINT,
        "from django.db.models import (CharField, Q, UniqueConstraint)\n",
    ),
    "in_brackets_where_the_line_becomes_too_long": (
        f"from django.db.models import CharField, {', '.join('ABCDEFGHIJKL')}, TextField, Z\n",
        CONSTRAINT,
        "from django.db.models import (\n"
        + "".join(f"    {n},\n" for n in ("CharField", *"ABCDEFGHIJKL", "TextField", "Z"))
        + "    UniqueConstraint,\n)\n",
    ),
    "constants_before_classes": (
        "from django.db.models import CASCADE, PROTECT, CharField, Value\n",
        CONSTRAINT,
        "from django.db.models import CASCADE, PROTECT, CharField, UniqueConstraint, Value\n",
    ),
    "below_imports_of_anything_else": (
        '"""Doc."""\nfrom __future__ import annotations\n\nfrom .base import Base\n\nx = 1\n',
        CONSTRAINT,
        '"""Doc."""\nfrom __future__ import annotations\n\nfrom .base import Base\n'
        "from django.db.models import UniqueConstraint\n\nx = 1\n",
    ),
    "below_the_docstring": (
        '"""Doc."""\n\nx = 1\n',
        CONSTRAINT,
        '"""Doc."""\n\nfrom django.db.models import UniqueConstraint\n\nx = 1\n',
    ),
    "on_top": (
        "# a comment\nx = 1\n",
        CONSTRAINT,
        "# a comment\nfrom django.db.models import UniqueConstraint\n\nx = 1\n",
    ),
}


@pytest.mark.parametrize(("before", "wanted", "after"), CASES.values(), ids=CASES)
def test_a_name_is_imported(before: str, wanted: tuple[str, str], after: str) -> None:
    assert with_import(before, *wanted) == after
