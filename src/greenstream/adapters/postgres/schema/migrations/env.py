"""Alembic's entry: run the pending migrations on the connection that `migrate` passes in."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema="public", version_table="greenstream_version")
with context.begin_transaction():
    context.run_migrations()
