"""Whether the test servers flush to disk what they commit, which costs much of a suite's time.

python .ci/durably.py off|on POSTGRES_URL MARIADB_URL
"""

import sys

import dj_database_url
import django
from django.conf import settings
from django.db import connections

on = sys.argv[1] == "on"
urls = dict(zip(("default", "mariadb"), sys.argv[2:], strict=True))
settings.configure(DATABASES={alias: dj_database_url.parse(url) for alias, url in urls.items()})
django.setup()
with connections["default"].cursor() as cursor:
    cursor.execute(f"ALTER SYSTEM {'RESET fsync' if on else 'SET fsync = off'}")
    cursor.execute("SELECT pg_reload_conf()")
with connections["mariadb"].cursor() as cursor:
    cursor.execute(f"SET GLOBAL innodb_flush_log_at_trx_commit = {int(on)}")
