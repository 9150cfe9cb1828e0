"""Names of an answer's columns, whatever database gave it."""

from collections import Counter
from collections.abc import Iterable

from greenstream.domain.errors import InvalidQuery


def check_names(names: Iterable[str]) -> None:
    """Raise InvalidQuery where two columns share a name, for one would hide the other."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise InvalidQuery(f"more than one column is called {', '.join(twice)}: name them apart with AS")
