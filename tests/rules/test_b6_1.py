"""B6.1: lineage."""

import polars as pl

from greenstream.domain.rules.b6_metadata import lineage


def test_each_row_names_its_load() -> None:
    batch = lineage(pl.DataFrame({"line_number": [2, 3]}), load_id=2**40)
    assert batch.to_dict(as_series=False) == {"line_number": [2, 3], "load_id": [2**40, 2**40]}


def test_a_batch_without_rows_has_the_column_too() -> None:
    assert lineage(pl.DataFrame({"line_number": []}), load_id=1).schema["load_id"] == pl.Int64
