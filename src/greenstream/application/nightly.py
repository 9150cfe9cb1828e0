"""The night: settle → archive → retention, for all days that need it, whatever nights were missed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from greenstream.application.exclusion import Exclusion
from greenstream.application.history.settle import Settled
from greenstream.application.lake.archive import Archived, ArchiveState, would_lose
from greenstream.application.lake.retention import Retirement
from greenstream.domain.alerts.conditions import lake_damaged
from greenstream.domain.alerts.values import Condition
from greenstream.domain.errors import LakeDamaged
from greenstream.domain.lake.lifetimes import Deletion


@dataclass(frozen=True, kw_only=True)
class Night:
    """The steps of a night, each safe to repeat; `settle` and `archive` take one day.

    `to_settle` looks at all readings before, so that it knows of the days that look back on late ones; `due` only says
    which days are due as far as is known.
    """

    exclusion: Exclusion
    erase_again: Callable[[], Iterator[Deletion]]
    due: Callable[[], list[date]]
    to_settle: Callable[[], list[date]]
    settle: Callable[[date], Settled]
    to_archive: Callable[[], list[date]]
    archive: Callable[[date], Archived]
    retire: Callable[[bool], Iterator[Retirement]]
    raise_alert: Callable[[Condition], None]


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is done next: with which day, the how many-th of how many; of retention nothing is known before."""

    name: str
    day: date | None = None
    number: int = 0
    of: int = 0


@dataclass(frozen=True, kw_only=True)
class Due:
    """What a night would do with a day."""

    step: str
    day: date


Done = Settled | Archived | Retirement


def nightly(night: Night, on_step: Callable[[Step], None]) -> Iterator[Done]:
    """Do what is due, telling of each step before and of each result after. One night at a time: a second one waits.

    What a person must see to raises an alert. Nothing is remembered between the steps but what the database knows, so a
    night that is broken off anywhere goes on there at the next start.

    Raises:
        LakeDamaged: the lake can't be gone on with; there is an alert.
    """
    with night.exclusion.alone():
        try:
            for done in _steps(night, on_step):
                if isinstance(done, Retirement) and done.is_trouble:
                    night.raise_alert(lake_damaged(done.subject, done.kept_because or ""))
                yield done
        except LakeDamaged as error:
            night.raise_alert(lake_damaged("nightly", str(error)))
            raise


def trouble_of(done: Done) -> str | None:
    """What a person must see to: the lake has less than the database, or more."""
    if isinstance(done, Archived) and done.state is ArchiveState.WOULD_LOSE:
        return would_lose(done.day)
    return done.kept_because if isinstance(done, Retirement) and done.is_trouble else None


def planned(night: Night) -> Iterator[Due | Retirement]:
    """What a night would do, as far as is known now. Nothing is changed."""
    to_settle = night.due()
    for day in to_settle:
        yield Due(step="settle", day=day)
    for day in sorted({*to_settle, *night.to_archive()}):
        yield Due(step="archive", day=day)
    yield from night.retire(True)


def _steps(night: Night, on_step: Callable[[Step], None]) -> Iterator[Done]:
    for deletion in night.erase_again():
        yield Retirement(layer=deletion.layer, subject=deletion.subject, amount=deletion.amount, unit="lines")
    on_step(Step(name="watch"))
    yield from _day_by_day("settle", night.to_settle(), night.settle, on_step)
    yield from _day_by_day("archive", night.to_archive(), night.archive, on_step)
    on_step(Step(name="retire"))
    yield from night.retire(False)


def _day_by_day(
    name: str, days: list[date], work: Callable[[date], Settled | Archived], on_step: Callable[[Step], None]
) -> Iterator[Settled | Archived]:
    for number, day in enumerate(days, start=1):
        on_step(Step(name=name, day=day, number=number, of=len(days)))
        yield work(day)
