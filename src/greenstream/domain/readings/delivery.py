"""From the text of a delivered file to its judged rows: the one path, for whoever needs them.

Pure: the same text, site, times and erasures give the same rows, wherever it is done.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from greenstream.domain.corrections.erased_lines import without_erased
from greenstream.domain.formats import LandedText, format_of
from greenstream.domain.formats.quarantine import LongRow, quarantined_rows
from greenstream.domain.readings.judge import EvaluatedFile, evaluate
from greenstream.domain.site import Site


@dataclass(frozen=True, kw_only=True)
class JudgedDelivery:
    """What became of each row of a file: it is to be stored, rejected, or of an erased meter.

    Attributes:
        rows: how many there are.
        evaluated: the rows to store, in store order, and the rejected ones.
        erased_lines: the line numbers of what was erased before, and isn't taken in again.
        ignored_columns: what nobody reads.
    """

    text: LandedText
    rows: int
    evaluated: EvaluatedFile
    erased_lines: pl.Series
    ignored_columns: tuple[str, ...]

    def quarantined(self) -> Iterator[pl.DataFrame | LongRow]:
        """The rejected rows as they are kept."""
        return quarantined_rows(self.text, self.evaluated.rejected)


def judge_delivery(
    text: LandedText, site: Site, *, received_at: datetime, now: datetime, erased: pl.DataFrame
) -> JudgedDelivery:
    """Parse, judge, and leave out what was erased (schema ERASED).

    The size isn't checked: `check_size` does that for what lands, and what was loaded once may be beyond today's limit.

    Raises:
        FileRejected: any reason; those that need no look inside have been ruled out by `check_size`.
    """
    parsed = format_of(text).parse(text)
    judged = evaluate(parsed, site, received_at=received_at, now=now).in_store_order()
    spared = without_erased(judged, parsed, erased)
    return JudgedDelivery(
        text=text,
        rows=parsed.rows,
        evaluated=spared.evaluated,
        erased_lines=spared.erased_lines,
        ignored_columns=parsed.ignored_columns,
    )
