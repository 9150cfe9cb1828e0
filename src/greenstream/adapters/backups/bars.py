"""How a backup tells how far it is."""

from contextlib import AbstractContextManager
from typing import Protocol


class Bar(Protocol):
    """One step under way; amounts are in the unit of its total."""

    def advance(self, amount: float = 1) -> None: ...
    def describe(self, text: str) -> None: ...


class Bars(Protocol):
    """Begins a step that ends with the block; `total` None: how long it takes isn't known."""

    def __call__(
        self, description: str, total: float | None = None, *, unit: str = ""
    ) -> AbstractContextManager[Bar]: ...
