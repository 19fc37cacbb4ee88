"""Runs the migrations on the connection that ``desk.hub.database.upgrade`` hands over."""

from alembic import context

from desk.schema.hub_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    # SQLite alters a table by copying it.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
