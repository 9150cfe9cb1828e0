"""The queries, each in its file under `queries/`."""

from functools import cache
from importlib.resources import files
from typing import LiteralString


@cache
def query(name: str) -> LiteralString:
    """The text of `queries/<name>.sql`; the files are part of the program, like a literal in it."""
    text: LiteralString = files(__package__).joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")
    return text
