"""The meters' past in the database."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol

import polars as pl

from greenstream.domain.exact import Integers
from greenstream.domain.formats.roster import Roster
from greenstream.domain.history.grid import Past
from greenstream.domain.history.values import (
    Days,
    Finding,
    FindingCount,
    Registered,
    Rescheduled,
    Scope,
    ScoreChange,
    Unwatched,
    WatchedMeters,
)


class History(Protocol):
    """The meters' past in the database, in one transaction that no other watch or settling shares."""

    def watermark(self) -> int | None:
        """The slot up to which the rules have been applied to the whole fleet."""
        ...

    def unwatched(self) -> Unwatched: ...
    def meters(self) -> WatchedMeters: ...
    def refresh(self, touched: pl.DataFrame) -> None:
        """Derive the values of the touched days, meters and slots (as in `Unwatched`) anew from current readings."""
        ...

    def days_held(self, meters: WatchedMeters, first: int) -> Integers:
        """On how many days, from that of a slot on, there are values of each meter: (meters,) Int64."""
        ...

    def past(self, meters: WatchedMeters, first: int, last: int) -> Past:
        """What some meters sent from the day of one slot up to another slot."""
        ...

    def fleet_days(self, first: int, last: int) -> Days:
        """The days with any reading that lie wholly between two slots."""
        ...

    def replace_findings(self, found: pl.DataFrame, scope: Scope, now: datetime) -> None: ...
    def finish(self, unwatched: Unwatched, watermark: int, today: date) -> None:
        """The loads have been seen; keep the watermark and each meter's status."""
        ...

    def reopen_days(self, spans: Sequence[tuple[date, date]], if_last: tuple[date, date], now: datetime) -> None:
        """Settled days in these spans, their last day included, have to be settled again.

        So has the last of all settled days, if it lies in `if_last`: what is known of a meter by now is from there.
        """
        ...

    def detected(self, at: datetime) -> dict[str, int]:
        """How many findings were detected at that time, by code."""
        ...

    def unalerted(self, until: datetime) -> list[Finding]:
        """Findings detected by then that no alert has told of."""
        ...

    def mark_alerted(self, until: datetime, now: datetime) -> None: ...
    def raise_alert(self, *, code: str, severity: str, subject: str, message: str, at: datetime) -> None: ...
    def lock_day(self, day: date) -> bool:
        """Keep loads out of a day; whether anything was ever loaded into it."""
        ...

    def absent(self, day: date, changed: pl.DataFrame, min_reliability: float) -> Mapping[date, list[str]]:
        """Of a retired day, the meters (`meter_key`, `reliability`) that are judged otherwise now, to rehydrate."""
        ...

    def rehydrate(self, rows: pl.DataFrame) -> None:
        """Take readings (schema ARCHIVED) of absent meters out of the lake; nothing is counted."""
        ...

    def write_reliability(self, day: date, rows: pl.DataFrame) -> None:
        """Replace a day's `meter_key`, `usable`, `slots`, `reliability`; a meter's own is that of its last day."""
        ...

    def rescore(self, day: date, changes: Sequence[ScoreChange], min_reliability: float) -> int: ...
    def mark_settled(self, day: date, now: datetime) -> None: ...
    def findings_on(self, day: date) -> dict[str, FindingCount]:
        """The findings whose window touches a day, by code."""
        ...


class Fleet(History, Protocol):
    """The meters and their past, in one transaction that no other import, watch or settling shares."""

    def register(self, roster: Roster) -> Registered:
        """Add the meters that aren't known. The roster's location counts as long as a meter has no reading."""
        ...

    def reschedule(self, roster: Roster) -> Rescheduled:
        """Give each meter the dates of the roster, as far as it has such columns."""
        ...

    def update_statuses(self, today: date) -> None: ...
