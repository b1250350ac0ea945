"""Bringing the database up to date, so that the first command on a fresh machine just works."""

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

__all__ = ["database_ensure"]


def database_ensure() -> None:
    """Make the tables that are missing; costs one query where all are there."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        call_command("migrate", interactive=False, verbosity=0)
