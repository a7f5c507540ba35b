"""One measurement in a process of its own: ``python -m benchmarks.worker JOB [JSON options]``.

Prints one JSON object. The database is the one that ``BENCH_URL`` names.
"""

from __future__ import annotations

import json
import os
import sys

import django
from django.apps import apps


def main() -> None:
    """Set Django up, do the job named on the command line, print what it measured."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")
    django.setup()
    from . import find_jobs, jobs, loading, peers, review_jobs, writer_jobs

    known = {
        "load_authors": loading.load_authors,
        "load_writers": loading.load_writers,
        "raw": jobs.raw,
        "raw_writers": jobs.raw_writers,
        "engine": jobs.engine,
        "bare": find_jobs.bare,
        "find": find_jobs.find,
        "peer": peers.peer,
        "review": review_jobs.review,
        "beside_writers": writer_jobs.beside_writers,
        "constraint_beside_writers": writer_jobs.constraint_beside_writers,
    }
    if apps.is_installed("benchmarks.wide"):
        from . import wide_jobs

        known["pairs"] = wide_jobs.pairs
    job, *options = sys.argv[1:]
    print(json.dumps(known[job](**json.loads(options[0] if options else "{}"))))


if __name__ == "__main__":
    main()
