"""After a rule was fixed: judge stored readings anew, a day at a time."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from greenstream.application.corrections.context import CorrectionContext
from greenstream.application.corrections.replay import OK
from greenstream.application.loading.raw_file import Absent, raw_file
from greenstream.domain.codes import Flag
from greenstream.domain.corrections.rejudge import rejudge
from greenstream.domain.formats import format_of
from greenstream.domain.ledger import Delivery
from greenstream.domain.site import Site
from greenstream.ports.corrections import Rejudging
from greenstream.ports.landing import Landing


@dataclass(frozen=True, kw_only=True)
class RejudgedDay:
    """What became of a day's readings.

    Attributes:
        readings: how many were judged anew.
        changes: how many come out otherwise, by their flags before and after; OK without any. Both may be the same,
            where another value changed.
        unknown: how many were left as they are, because their comma can't be told from a thousands separator now that
            their file is gone.
    """

    day: date
    readings: int = 0
    changes: Mapping[tuple[str, str], int] = field(default_factory=dict)
    unknown: int = 0


def rejudge_days(
    flags: int, first: date | None, last: date | None, context: CorrectionContext
) -> Iterator[RejudgedDay]:
    """Judge the readings with any of these flags anew (0: all), of the local days from `first` to `last`.

    Each day is a transaction. Safe to repeat: readings that come out as they are stay as they are.
    """
    commas = _Commas(context.landing, context.site)
    for day in context.replays.days_with(flags, first, last):
        if not context.dry_run:
            context.replays.prepare_days([day], context.clock())
        with context.replays.rejudge(day, dry_run=context.dry_run) as transaction:
            done = _rejudge_day(day, flags, transaction, commas, context)
        yield done


def _rejudge_day(
    day: date, flags: int, transaction: Rejudging, commas: "_Commas", context: CorrectionContext
) -> RejudgedDay:
    readings, unknown, changes = 0, 0, Counter[tuple[str, str]]()
    for batch in transaction.readings(flags):
        is_comma = commas.of(batch, transaction)
        readings += batch.height
        unknown += is_comma.null_count()
        for decimal_comma in (False, True):
            changed = rejudge(batch.filter(is_comma == decimal_comma), context.site, decimal_comma=decimal_comma)
            changes += by_flags(changed)
            if changed.height and not context.dry_run:
                transaction.replace(changed)
    return RejudgedDay(day=day, readings=readings, changes=dict(changes), unknown=unknown)


class _Commas:
    """Whether a comma is a decimal one: that is so in files whose delimiter is none, which only the file can tell."""

    def __init__(self, landing: Landing, site: Site) -> None:
        self._landing = landing
        self._site = site
        self._known: dict[Delivery, bool | None] = {}

    def of(self, readings: pl.DataFrame, transaction: Rejudging) -> pl.Series:
        """Boolean, one a reading; null where its file is gone. Files none of whose texts has a comma aren't asked."""
        with_comma = readings["energy_value"].str.contains(",", literal=True).fill_null(value=False)
        deliveries = transaction.deliveries(readings["load_id"].filter(with_comma).unique().to_list())
        answers = pl.DataFrame(
            {"load_id": deliveries.keys(), "answer": [self._of_file(each) for each in deliveries.values()]},
            schema={"load_id": pl.Int64, "answer": pl.Boolean},
        )
        asked = readings.join(answers, on="load_id", how="left", maintain_order="left")["answer"]
        return pl.select(pl.when(with_comma).then(asked).otherwise(pl.lit(value=False))).to_series()

    def _of_file(self, delivery: Delivery) -> bool | None:
        if delivery not in self._known:
            self._known[delivery] = self._read(delivery)
        return self._known[delivery]

    def _read(self, delivery: Delivery) -> bool | None:
        raw = raw_file(delivery, self._landing, self._site.limits)
        if isinstance(raw, Absent):
            return None
        text = raw.text(self._site.limits)
        return format_of(text).has_decimal_comma(text)


def by_flags(changed: pl.DataFrame) -> Counter[tuple[str, str]]:
    """How many readings of `rejudge` there are by their flags before and after."""
    counts = changed.group_by("old_flags", "flags").len()
    return Counter({(_names(before), _names(after)): count for before, after, count in counts.iter_rows()})


def _names(flags: int) -> str:
    return " + ".join(flag.value for flag in Flag if flag.bit & flags) or OK
