"""What a worker's turn at a file works with, on a harness."""

from collections.abc import Callable
from datetime import datetime

from tests.support.harness import Harness

from greenstream.application.loading.attempt import Turn
from greenstream.domain.landing import LandedFile
from greenstream.domain.ledger import FileResult


def turn_on(
    harness: Harness,
    process: Callable[[str], FileResult] | None = None,
    *,
    head: Callable[[str], LandedFile] | None = None,
    store_answers: Callable[[], bool] = lambda: True,
    clock: Callable[[], datetime] | None = None,
) -> Turn:
    """All that isn't given is the harness's."""
    return Turn(
        process=process or harness.process,
        head=head or harness.store.head,
        store_answers=store_answers,
        waiting=harness.database.waiting(),
        database=harness.database,
        clock=clock or harness.clock,
    )
