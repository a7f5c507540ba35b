"""Says of every get_or_create in the project whether the database makes it safe."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dedupe_toolkit

from ...audit.baseline import baseline_document
from ...audit.formats import AuditFormat
from ...audit.formats.documents import audit_document
from ...audit.formats.github import github_lines
from ...audit.formats.gitlab import gitlab_document
from ...audit.formats.plain import print_audit
from ...audit.formats.sarif import sarif_document
from ...audit.memory import remember
from ...errors import InvalidOption
from ...reports.formats import as_json
from ..base import DedupeCommand
from ..options import add_format, add_options, one_of
from ..progress import progress_bar

if TYPE_CHECKING:
    from django.core.management.base import CommandParser

    from ...audit.findings import Audit

_DOCUMENTS: dict[str, Any] = {
    AuditFormat.JSON: lambda audit: as_json(audit_document(audit)),
    AuditFormat.GITHUB: github_lines,
    AuditFormat.SARIF: lambda audit: as_json(sarif_document(audit)),
    AuditFormat.GITLAB: lambda audit: as_json(gitlab_document(audit)),
}


class Command(DedupeCommand):
    help = (
        "Say of every get_or_create and update_or_create in the project's source whether the"
        " database makes it safe. Writes to no table of yours."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "apps", metavar="APP", nargs="*", help="Apps to audit (default: the whole project)."
        )
        what = {
            "--all": "Audit tests and migrations as well.",
            "--count": "Count the duplicate groups that are there already.",
            "--check": "Exit with code 1 if a call is unsafe, unless it is accepted or in the"
            " baseline.",
            "--baseline FILE": "Leave out what this file knows already.",
            "--write-baseline FILE": "Write what is found now into this file.",
            "--observed FILE": "Decide what the source leaves open by what the guard saw, and"
            " wrote here.",
        }
        add_options(parser, what)
        add_format(parser, AuditFormat)
        parser.add_argument(
            "--database",
            default="default",
            metavar="ALIAS",
            help="The database that decides what is unique (default: default).",
        )

    def handle(self, **options: Any) -> None:
        shape = one_of("--format", options["format"], AuditFormat)
        with progress_bar("Reading", options["verbosity"]) as progress:
            found = dedupe_toolkit.audit_get_or_create(
                *options["apps"],
                using=options["database"],
                everything=options["all"],
                count=options["count"],
                baseline=options["baseline"],
                observed=options["observed"],
                progress=progress,
            )
        if not options["apps"]:
            remember(found, options["database"])
        if options["write_baseline"]:
            self._write_baseline(found, Path(options["write_baseline"]))
        if shape in _DOCUMENTS:
            self.stdout.write(_DOCUMENTS[shape](found))
        else:
            print_audit(self.console, found)
        if options["check"] and any(one.counts for one in found.findings):
            sys.exit(1)

    def _write_baseline(self, found: Audit, path: Path) -> None:
        try:
            path.write_text(f"{as_json(baseline_document(found.findings))}\n", encoding="utf-8")
        except OSError as error:
            raise InvalidOption(f"--write-baseline {path}: {error.strerror}") from None
        self.stderr.write(f"Written: {path}")
