"""Merges on servers with real replicas: ``python -m tests.replicas standby logical mariadb``.

Not part of the suite, since it starts servers of its own: two of PostgreSQL, or two of MariaDB, on
free ports and in a temporary folder. What it tells is in `tests.replicas.story`.
"""
