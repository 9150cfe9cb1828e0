"""The largest file needs no more memory than its size allows; `python -m bench.memory` has the longer cases."""

from pathlib import Path

import pytest
from bench.memory import run
from tests.support.harness import Databases


@pytest.mark.parametrize(
    ("case", "outcome", "reason", "most_mib"),
    [
        ("csv", "loaded", None, 1024),
        ("bomb-zst", "rejected", "TOO_LARGE", 2048),
        ("lines-zst", "rejected", "TOO_LARGE", 1024),
    ],
)
def test_a_file_of_the_largest_size_stays_within_bounds(
    databases: Databases, tmp_path: Path, case: str, outcome: str, reason: str | None, most_mib: int
) -> None:
    found = run(case, databases.server_dsn, tmp_path)
    assert (found["outcome"], found["reason"]) == (outcome, reason)
    assert int(str(found["peak_mib"])) < most_mib
