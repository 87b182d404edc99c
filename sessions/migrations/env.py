"""Alembic's entry: runs the migrations on the connection that `sessions.migrate` holds, inside its transaction."""

from alembic import context

from sessions.models import Base

VERSION_TABLE = "store_version"

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    include_name=lambda name, kind, parents: kind != "table" or name in Base.metadata.tables,
    render_as_batch=True,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
