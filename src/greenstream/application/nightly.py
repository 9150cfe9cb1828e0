"""The night: settle → archive → retention, for all days that need it, whatever nights were missed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date

from greenstream.application.history.settle import Settled
from greenstream.application.lake.archive import Archived, ArchiveState
from greenstream.application.lake.retire import Retirement
from greenstream.domain.alerts.values import AlertCode, Condition
from greenstream.domain.codes import Severity
from greenstream.domain.lake.retention import Deletion


@dataclass(frozen=True, kw_only=True)
class Night:
    """The steps of a night, each safe to repeat; `settle` and `archive` take one day.

    `to_settle` looks at all readings before, so that it knows of the days that look back on late ones.
    """

    erase_again: Callable[[], Iterator[Deletion]]
    to_settle: Callable[[], list[date]]
    settle: Callable[[date], Settled]
    to_archive: Callable[[], list[date]]
    archive: Callable[[date], Archived]
    retire: Callable[[], Iterator[Retirement]]


@dataclass(frozen=True, kw_only=True)
class Step:
    """What is done next: with which day, the how many-th of how many; of retention nothing is known before."""

    name: str
    day: date | None = None
    number: int = 0
    of: int = 0


Done = Settled | Archived | Retirement


def trouble_of(done: Done) -> Condition | None:
    """What a person must see to: the lake has less than the database, or more."""
    if isinstance(done, Archived) and done.state is ArchiveState.WOULD_LOSE:
        why = f"the lake has readings of {done.day} that the database hasn't; it was left alone"
    elif isinstance(done, Retirement) and done.is_trouble:
        why = done.kept_because or ""
    else:
        return None
    return damaged(str(done.day) if isinstance(done, Archived) else done.subject, why)


def damaged(subject: str, why: str) -> Condition:
    return Condition(code=AlertCode.LAKE_DAMAGED, severity=Severity.ERROR, subject=subject, message=why)


def nightly(night: Night, on_step: Callable[[Step], None]) -> Iterator[Done]:
    """Do what is due, telling of each step before and of each result after.

    Nothing is remembered between the steps but what the database knows, so a night that is broken off anywhere goes on
    there at the next start.
    """
    for deletion in night.erase_again():
        yield Retirement(layer=deletion.layer, subject=deletion.subject, amount=deletion.amount, unit="lines")
    on_step(Step(name="watch"))
    for name, due, work in (
        ("settle", night.to_settle, night.settle),
        ("archive", night.to_archive, night.archive),
    ):
        days = due()
        for number, day in enumerate(days, start=1):
            on_step(Step(name=name, day=day, number=number, of=len(days)))
            yield work(day)
    on_step(Step(name="retire"))
    yield from night.retire()
