"""How the database is reached: the newest version without asking alembic, and patience that has an end."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from psycopg.conninfo import make_conninfo
from tests.support.harness import Harness

from greenstream.adapters.postgres.base.connection import connect
from greenstream.adapters.postgres.schema.version import newest_version

SOURCE = Path(__file__).parents[2] / "src" / "greenstream"


def test_the_newest_version_by_the_names_of_files_is_the_head_of_alembic() -> None:
    config = Config()
    config.set_main_option("script_location", "greenstream.adapters.postgres.schema:migrations")
    assert newest_version() == ScriptDirectory.from_config(config).get_current_head()


def test_a_system_is_there_without_the_libraries_that_migrate() -> None:
    code = "import sys, greenstream.wiring; print({'alembic', 'sqlalchemy'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout == "set()\n"


@pytest.mark.parametrize(("own", "timeout"), [({}, "10"), ({"connect_timeout": "3"}, "3")])
def test_a_silent_server_is_given_up_but_a_patience_of_the_users_own_stays(
    harness: Harness, own: dict[str, str], timeout: str
) -> None:
    with connect(make_conninfo(harness.dsn, **own), application_name="a test") as connection:
        parameters = connection.info.get_parameters()
        assert connection.autocommit
    assert parameters["connect_timeout"] == timeout
    assert (parameters["keepalives"], parameters["keepalives_idle"]) == ("1", "30")
    assert parameters["application_name"] == "a test"


def test_all_connections_are_made_in_one_place() -> None:
    found = [path.name for path in SOURCE.rglob("*.py") if "psycopg.connect(" in path.read_text(encoding="utf-8")]
    assert found == ["connection.py"]
