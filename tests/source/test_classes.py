"""A unique rule lands in a model's Meta, and nothing else of the file changes."""

from __future__ import annotations

from functools import reduce
from types import SimpleNamespace
from typing import Any

import pytest

from dedupe_toolkit.errors import ConstraintRefused
from dedupe_toolkit.source.classes import Model, Rule, with_rule
from dedupe_toolkit.source.code import Code

TOGETHER = Rule(option="unique_together", code=Code(args=('"a"', '"b"')))
SINGLE = Rule(option="unique_together", code=Code(args=('"a"',)))
CONSTRAINT = Rule(
    option="constraints",
    code=Code(head="models.UniqueConstraint", args=('fields=["a"]', 'name="a_uniq"')),
)
LONG = Rule(
    option="constraints",
    code=Code(
        head="models.UniqueConstraint",
        args=(
            'fields=["first_name", "last_name"]',
            'condition=models.Q(is_removed=False, kind="person")',
            'name="library_author_c0ffee_uniq"',
        ),
    ),
)


def edited(source: str, rule: Rule, *, options: Any = None, **names: Any) -> str:
    """The source with the rule in class ``Item``; ``names`` are what the module's names mean."""

    def resolve(dotted: str) -> Any:
        first, *rest = dotted.split(".")
        return reduce(lambda value, name: getattr(value, name, None), rest, names.get(first))

    inherited = next((value.Meta for value in names.values() if hasattr(value, "Meta")), None)
    model = Model(name="Item", resolve=resolve, inherited_meta=inherited, options=options or {})
    return with_rule(source, model, rule)


def base(**options: Any) -> SimpleNamespace:
    return SimpleNamespace(Meta=SimpleNamespace(**options))


PLAIN = {
    "no_meta_and_a_method": (
        """\
class Item(models.Model):
    a = models.CharField()  # why

    # says what it is
    @property
    def text(self):
        return self.a
""",
        TOGETHER,
        """\
class Item(models.Model):
    a = models.CharField()  # why

    class Meta:
        unique_together = [("a", "b")]

    # says what it is
    @property
    def text(self):
        return self.a
""",
    ),
    "no_meta_and_no_method": (
        """\
class Item(models.Model):
    class Kind(models.TextChoices):
        ONE = "one"

    a = models.CharField(
        max_length=3,
    )
    # b comes later


class Other(models.Model):
    pass
""",
        SINGLE,
        """\
class Item(models.Model):
    class Kind(models.TextChoices):
        ONE = "one"

    a = models.CharField(
        max_length=3,
    )
    # b comes later

    class Meta:
        unique_together = [("a",)]


class Other(models.Model):
    pass
""",
    ),
    "no_meta_and_a_method_without_a_blank_line": (
        "class Item(models.Model):\n    a = 1\n    def text(self): pass\n",
        SINGLE,
        "class Item(models.Model):\n    a = 1\n\n"
        '    class Meta:\n        unique_together = [("a",)]\n'
        "\n    def text(self): pass\n",
    ),
    "no_meta_and_methods_only": (
        "class Item(Base):\n    def text(self):\n        pass\n",
        SINGLE,
        'class Item(Base):\n    class Meta:\n        unique_together = [("a",)]\n\n'
        "    def text(self):\n        pass\n",
    ),
    "no_newline_at_the_end": (
        "class Item(models.Model):\n    a = 1",
        SINGLE,
        "class Item(models.Model):\n    a = 1\n\n"
        '    class Meta:\n        unique_together = [("a",)]\n',
    ),
    "a_body_that_only_passes": (
        "class Item(Base):\n    pass\n",
        SINGLE,
        'class Item(Base):\n    class Meta:\n        unique_together = [("a",)]\n',
    ),
    "a_body_that_is_only_a_docstring": (
        'class Item(Base):\n    """An item."""\n',
        SINGLE,
        'class Item(Base):\n    """An item."""\n\n    class Meta:\n'
        '        unique_together = [("a",)]\n',
    ),
    "tabs_and_windows_newlines": (
        "class Item(Base):\r\n\ta = 1\r\n\r\n\tclass Meta:\r\n\t\tordering = ['a']  # x\r\n",
        SINGLE,
        "class Item(Base):\r\n\ta = 1\r\n\r\n\tclass Meta:\r\n\t\tordering = ['a']  # x\r\n"
        '\t\tunique_together = [("a",)]\r\n',
    ),
    "a_meta_that_only_passes": (
        "class Item(Base):\n    a = 1\n\n    class Meta:\n        pass\n",
        SINGLE,
        'class Item(Base):\n    a = 1\n\n    class Meta:\n        unique_together = [("a",)]\n',
    ),
    "a_meta_with_a_closing_comment": (
        """\
class Item(models.Model):
    class Meta:
        ordering = ["a"]
        # nothing else

    def text(self): pass
""",
        CONSTRAINT,
        """\
class Item(models.Model):
    class Meta:
        ordering = ["a"]
        # nothing else
        constraints = [
            models.UniqueConstraint(fields=["a"], name="a_uniq"),
        ]

    def text(self): pass
""",
    ),
    "a_constraint_that_needs_several_lines": (
        "class Item(models.Model):\n    class Meta:\n        ordering = ['a']\n",
        LONG,
        """\
class Item(models.Model):
    class Meta:
        ordering = ['a']
        constraints = [
            models.UniqueConstraint(
                fields=["first_name", "last_name"],
                condition=models.Q(is_removed=False, kind="person"),
                name="library_author_c0ffee_uniq",
            ),
        ]
""",
    ),
}

LISTS = {
    "a_single_tuple_of_names": ('("x", "y")', TOGETHER, '[("x", "y"), ("a", "b")]'),
    "a_single_list_of_names": ('["x", "y"]', TOGETHER, '[["x", "y"], ("a", "b")]'),
    "names_without_brackets": ('"x", "y"', TOGETHER, '[("x", "y"), ("a", "b")]'),
    "a_tuple_of_tuples": ('(("x", "y"), ("z",))', TOGETHER, '(("x", "y"), ("z",), ("a", "b"))'),
    "a_tuple_of_one_tuple": ('(("x", "y"),)', TOGETHER, '(("x", "y"), ("a", "b"))'),
    "a_list_of_lists": ('[["x", "y"]]', TOGETHER, '[["x", "y"], ("a", "b")]'),
    "an_empty_list": ("[]", TOGETHER, '[("a", "b")]'),
    "a_name": ("RULES", TOGETHER, '[*RULES, ("a", "b")]'),
    "a_call": ("rules(1)", TOGETHER, '[*rules(1), ("a", "b")]'),
    "a_sum": ("ONE + TWO", TOGETHER, '[*(ONE + TWO), ("a", "b")]'),
    "a_comment_behind": ('[("x",)]  # so', TOGETHER, '[("x",), ("a", "b")]  # so'),
    "one_a_line": (
        """[
            # the first
            ("x", "y"),  # why
            # the end
        ]""",
        TOGETHER,
        """[
            # the first
            ("x", "y"),  # why
            # the end
            ("a", "b"),
        ]""",
    ),
    "one_a_line_without_a_last_comma": (
        '[\n            ("x", "y"),\n            ("z",)  # why\n        ]',
        TOGETHER,
        '[\n            ("x", "y"),\n            ("z",),  # why\n            ("a", "b")\n        ]',
    ),
    "one_a_line_and_the_bracket_too": (
        '[\n            ("x", "y"),\n            ("z",)]',
        TOGETHER,
        '[\n            ("x", "y"),\n            ("z",),\n            ("a", "b")]',
    ),
    "unpacked_elements": ("[*RULES]", TOGETHER, '[*RULES, ("a", "b")]'),
    "a_list_too_long_for_one_line": (
        '[("some_quite_long_name", "another_one"), ("something_else", "and_more")]',
        TOGETHER,
        """[
            ("some_quite_long_name", "another_one"),
            ("something_else", "and_more"),
            ("a", "b"),
        ]""",
    ),
    "a_hugging_list": (
        '[models.Check(\n            name="x",  # why\n        )]',
        CONSTRAINT,
        '[models.Check(\n            name="x",  # why\n        ),'
        ' models.UniqueConstraint(fields=["a"], name="a_uniq")]',
    ),
}

REFUSED = {
    "an_assigned_meta": ("class Item(B):\n    Meta = Other\n", "its Meta is assigned, not written"),
    "a_meta_in_an_if": (
        "class Item(B):\n    if DEBUG:\n        class Meta:\n            pass\n",
        "its Meta stands inside another statement",
    ),
    "an_option_in_an_if": (
        "class Item(B):\n    class Meta:\n        if X:\n            unique_together = []\n",
        "its Meta.unique_together stands inside another statement",
    ),
    "an_option_in_a_short_if": (
        "class Item(B):\n    class Meta:\n        if X: unique_together = []\n",
        "its Meta.unique_together stands inside another statement",
    ),
    "an_option_in_steps": (
        "class Item(B):\n    class Meta:\n        unique_together = []\n"
        "        unique_together += [('x',)]\n",
        "its Meta.unique_together is put together in several steps",
    ),
    "a_conditional_class": (
        "if True:\n    class Item(B):\n        pass\n",
        "its class stands inside another statement",
    ),
    "a_class_in_a_class": (
        "class Outer:\n    class Item(B):\n        pass\n",
        "its class stands inside another statement",
    ),
    "two_classes": (
        "class Item(B):\n    pass\n\nclass Item(B):\n    pass\n",
        "its module has 2 classes of that name",
    ),
    "no_class": ("Item = make()\n", "its module has no class of that name"),
    "a_class_on_one_line": ("class Item(B): pass\n", "its class is written on one line"),
    "a_meta_on_one_line": (
        "class Item(B):\n    class Meta: ordering = ['a']\n",
        "its Meta is written on one line",
    ),
    "text_that_is_not_python": ("class Item(B:\n", "its module cannot be parsed"),
}


@pytest.mark.parametrize(("before", "rule", "after"), PLAIN.values(), ids=PLAIN)
def test_a_rule_is_added_and_the_rest_stays(before: str, rule: Rule, after: str) -> None:
    assert edited(before, rule) == after


@pytest.mark.parametrize(("before", "rule", "after"), LISTS.values(), ids=LISTS)
def test_a_rule_joins_those_that_are_there(before: str, rule: Rule, after: str) -> None:
    source = f"class Item(Base):\n    class Meta:\n        {rule.option} = %s\n        x = 1\n"
    assert edited(source % before, rule) == source % after


@pytest.mark.parametrize(("source", "reason"), REFUSED.values(), ids=REFUSED)
def test_source_that_cannot_be_edited_safely_is_refused_with_the_line_to_paste(
    source: str, reason: str
) -> None:
    with pytest.raises(ConstraintRefused) as refused:
        edited(source, TOGETHER)
    assert str(refused.value).startswith(f"Item cannot be edited: {reason}")
    assert 'add unique_together = [("a", "b")] to its Meta yourself' in str(refused.value)


def test_a_new_meta_takes_over_the_meta_of_an_abstract_base() -> None:
    source = "class Item(mixins.Timed, Labelled):\n    a = 1\n"
    names = {"mixins": SimpleNamespace(Timed=SimpleNamespace()), "Labelled": base(ordering=["a"])}
    assert edited(source, SINGLE, **names) == (
        "class Item(mixins.Timed, Labelled):\n    a = 1\n\n"
        '    class Meta(Labelled.Meta):\n        unique_together = [("a",)]\n'
    )


def test_a_new_meta_keeps_the_constraints_it_would_hide() -> None:
    source = "class Item(Labelled):\n    a = 1\n"
    assert edited(source, CONSTRAINT, Labelled=base(constraints=["one"])) == (
        "class Item(Labelled):\n    a = 1\n\n    class Meta(Labelled.Meta):\n"
        "        constraints = [\n            *Labelled.Meta.constraints,\n"
        '            models.UniqueConstraint(fields=["a"], name="a_uniq"),\n        ]\n'
    )


@pytest.mark.parametrize(
    ("inherited", "kept"),
    [(("x", "y"), "Base.Meta.unique_together"), ([("x", "y")], "*Base.Meta.unique_together")],
    ids=["a_single_tuple", "a_list"],
)
def test_a_meta_with_a_base_keeps_the_unique_together_it_would_hide(
    inherited: Any, kept: str
) -> None:
    source = "class Item(Base):\n    class Meta(Base.Meta):\n        ordering = []\n"
    assert edited(source, SINGLE, Base=base(unique_together=inherited)) == (
        f'{source}        unique_together = [{kept}, ("a",)]\n'
    )


def test_a_base_with_type_arguments_is_named_without_them() -> None:
    assert "class Meta(Base.Meta):" in edited(
        "class Item(Base[int]):\n    a = 1\n", SINGLE, Base=base()
    )


def test_an_inherited_meta_without_a_name_is_refused() -> None:
    with pytest.raises(ConstraintRefused, match="from a base class that has no name here"):
        edited("class Item(make()):\n    a = 1\n", SINGLE, Hidden=base())


def test_inherited_rules_without_a_name_are_refused() -> None:
    source = "class Item(Base):\n    class Meta(make()):\n        ordering = []\n"
    with pytest.raises(ConstraintRefused, match=r"inherits Meta\.unique_together from where"):
        edited(source, SINGLE, options={"unique_together": [("x",)]})


def test_a_name_for_a_single_tuple_is_not_unpacked() -> None:
    source = "class Item(Base):\n    class Meta:\n        unique_together = PAIR\n"
    assert 'unique_together = [PAIR, ("a",)]' in edited(
        source, SINGLE, options={"unique_together": ("x", "y")}
    )


def test_tabs_stay_tabs() -> None:
    source = """\
class Item(models.Model):
\ta = models.CharField()

\tdef text(self):
\t\treturn self.a
"""
    after = edited(source, LONG)
    assert all(line.startswith("\t") or not line.startswith(" ") for line in after.splitlines())
    assert "\tclass Meta:\n\t\tconstraints = [\n\t\t\tmodels.UniqueConstraint(\n" in after
    compile(after, "models.py", "exec")
    again = edited(after, CONSTRAINT)
    assert '\n\t\t\tmodels.UniqueConstraint(fields=["a"], name="a_uniq"),\n' in again


def test_a_list_on_one_line_is_laid_out_with_its_own_tabs() -> None:
    source = """\
class Item(models.Model):
\tclass Meta:
\t\tconstraints = [models.UniqueConstraint(fields=["first_name"], name="first_uniq")]
"""
    after = edited(source, LONG)
    assert not any("    " in line for line in after.splitlines())
    compile(after, "models.py", "exec")
