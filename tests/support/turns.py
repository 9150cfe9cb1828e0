"""What a worker's turn at a file works with, on a bed."""

from collections.abc import Callable
from datetime import datetime

from tests.support.bed import Bed

from greenstream.application.loading.attempt import Turn
from greenstream.domain.landing import LandedFile
from greenstream.domain.ledger import FileResult


def turn_on(
    bed: Bed,
    process: Callable[[str], FileResult] | None = None,
    *,
    head: Callable[[str], LandedFile] | None = None,
    store_answers: Callable[[], bool] = lambda: True,
    clock: Callable[[], datetime] | None = None,
) -> Turn:
    """All that isn't given is the bed's."""
    return Turn(
        process=process or bed.process,
        head=head or bed.store.head,
        store_answers=store_answers,
        waiting=bed.database.waiting(),
        database=bed.database,
        clock=clock or bed.clock,
    )
