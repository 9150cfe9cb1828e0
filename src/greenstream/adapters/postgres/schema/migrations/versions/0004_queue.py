"""Files on their way, and their queue."""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0004"
down_revision = "0003"

QUEUE_SCHEMA = "greenstream_queue"


def upgrade() -> None:
    connection = op.get_bind()
    connection.exec_driver_sql(f"CREATE SCHEMA {QUEUE_SCHEMA}")
    connection.exec_driver_sql(f"SET LOCAL search_path = {QUEUE_SCHEMA}")
    connection.exec_driver_sql(SchemaManager.get_schema().replace("%", "%%"))
    connection.exec_driver_sql(Path(__file__).with_suffix(".sql").read_text(encoding="utf-8"))
