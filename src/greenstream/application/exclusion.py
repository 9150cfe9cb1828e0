"""One night, archive, erasure, retention or backup at a time, on however many machines."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

POLL_SECONDS = 0.5


class Exclusion:
    """Held by one use-case at a time; those it calls hold it with it. For one thread.

    `enter` says, for the time of a block, whether nobody else is in one.
    """

    def __init__(
        self,
        enter: Callable[[], AbstractContextManager[bool]],
        *,
        on_wait: Callable[[], None],
        sleep: Callable[[float], None],
    ) -> None:
        self._enter = enter
        self._on_wait = on_wait
        self._sleep = sleep
        self._is_held = False

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody else is at it; nobody begins while the block lasts. `on_wait` hears of it once."""
        has_waited = False
        while True:
            with self.if_free() as ours:
                if ours:
                    yield
                    return
            if not has_waited:
                self._on_wait()
            has_waited = True
            self._sleep(POLL_SECONDS)

    @contextmanager
    def if_free(self) -> Iterator[bool]:
        """Whether nobody else is at it; if so, nobody begins while the block lasts."""
        if self._is_held:
            yield True
            return
        with self._enter() as ours:
            self._is_held = ours
            try:
                yield ours
            finally:
                self._is_held = False
