"""Models of packages that must not be merged are known by their base classes alone."""

from __future__ import annotations

from typing import Any

import pytest

from dedupe_toolkit.references.refusals import agreeing_columns, package_refusal_of, refusal_of
from testproject.library.models import Author


def model_of(package: str, base: str) -> Any:
    parent = type(base, (), {"__module__": f"{package}.models"})
    return type("Model", (type("Between", (parent,), {}),), {"__module__": "shop.models"})


@pytest.mark.parametrize(
    ("package", "base"),
    [
        ("mptt", "MPTTModel"),
        ("treebeard", "Node"),
        ("wagtail", "Page"),
        ("treenode", "TreeNodeModel"),
        ("django_ltree", "TreeModel"),
    ],
)
def test_a_model_is_refused_for_a_base_class_however_far_up(package: str, base: str) -> None:
    refusal = package_refusal_of(model_of(package, base))
    assert refusal is not None
    assert refusal.base.package == package


def test_a_page_of_another_package_is_no_page_of_wagtail() -> None:
    assert package_refusal_of(model_of("shop", "Page")) is None


def test_a_plain_model_is_neither_refused_nor_asked_to_agree() -> None:
    assert refusal_of(Author) is None
    assert agreeing_columns(Author) == []
