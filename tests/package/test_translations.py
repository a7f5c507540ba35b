"""Every sentence of the admin is there in German and in French, and compiled."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test.utils import override_settings
from django.utils.translation import gettext, ngettext, override

PACKAGE = Path(__file__).parents[2] / "dedupe_toolkit"
LANGUAGES = ["de", "fr"]

needs_gettext = pytest.mark.skipif(
    shutil.which("xgettext") is None, reason="no xgettext on PATH: install gettext"
)


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package, whose catalogues hold every sentence that there is in the code."""
    copy = tmp_path_factory.mktemp("messages") / PACKAGE.name
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with pytest.MonkeyPatch.context() as patch, override_settings(LOCALE_PATHS=[]):
        patch.chdir(copy)
        call_command("makemessages", locale=LANGUAGES, no_obsolete=True, verbosity=0)
    return copy


def catalogue(package: Path, language: str) -> Path:
    return package / "locale" / language / "LC_MESSAGES" / "django.po"


def printed(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


@needs_gettext
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("state", ["--untranslated", "--only-fuzzy"])
def test_no_sentence_is_left_in_english(state: str, language: str, extracted: Path) -> None:
    assert printed("msgattrib", "--no-obsolete", state, catalogue(extracted, language)) == ""


@needs_gettext
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_that_of_its_source(language: str, tmp_path: Path) -> None:
    source = catalogue(PACKAGE, language)
    compiled = tmp_path / "django.mo"
    printed("msgfmt", "--check", "-o", compiled, source)
    shipped = source.with_suffix(".mo")
    assert printed("msgunfmt", compiled) == printed("msgunfmt", shipped)


@pytest.mark.parametrize(
    ("language", "one", "skip"),
    [("de", "1 Zeile", "Überspringen"), ("fr", "1 ligne", "Passer")],
)
def test_the_catalogues_are_used(language: str, one: str, skip: str) -> None:
    with override(language):
        assert gettext("Skip") == skip
        assert ngettext("%(rows)s row", "%(rows)s rows", 1) % {"rows": 1} == one
