"""The sample files do what their table says."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from tests.support.engine import run

DATA = Path(__file__).parents[1] / "data"
NOW = datetime(2024, 12, 31, 12, tzinfo=UTC)


def table() -> dict[str, tuple[str, int, int, int, set[str]]]:
    """Reason, rows, readings, rejected, and flags and codes of each file."""
    lines = (DATA / "README.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("|")][2:]
    return {name: (why, int(r), int(s), int(q), set(codes.split())) for name, _, why, r, s, q, codes in rows}


TABLE = table()


def test_each_sample_file_is_in_the_table() -> None:
    assert sorted(TABLE) == sorted(path.name for path in DATA.iterdir() if path.name != "README.md")


@pytest.mark.parametrize("name", TABLE)
def test_a_sample_file_does_what_the_table_says(name: str) -> None:
    result = run(name, (DATA / name).read_bytes(), received_at=NOW, now=NOW, timezone="Europe/Berlin")
    codes = {flag for row in result.readings for flag in row["flags"]} | {row["code"] for row in result.quarantined}
    found = (result.reason or "", result.rows, len(result.readings), len(result.quarantined), codes)
    assert found == TABLE[name]
