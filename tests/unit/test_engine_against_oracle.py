"""The engine and the oracle agree on every row of every hostile file."""

from typing import Any

import pytest
from hypothesis import given, settings
from tests.oracle.compare import differences
from tests.oracle.generators import hostile_files, random_file
from tests.oracle.reference import evaluate_file
from tests.support.engine import run


def disagreements(name: str, content: bytes, kwargs: dict[str, Any]) -> list[str]:
    expected = evaluate_file(name, content, **kwargs)
    actual = run(name, content, **kwargs)
    if expected.reason != actual.reason or expected.rows != actual.rows:
        return [f"expected {expected.reason} and {expected.rows} rows, got {actual.reason} and {actual.rows}"]
    return differences(expected, actual.readings, actual.quarantined)


@pytest.mark.parametrize("seed", range(150))
def test_they_agree_on_seeded_files(seed: int) -> None:
    assert disagreements(*random_file(seed)) == []


@settings(max_examples=60, deadline=None)
@given(hostile_files())
def test_they_agree_on_whatever_is_tried(file: tuple[str, bytes, dict[str, Any]]) -> None:
    assert disagreements(*file) == []
