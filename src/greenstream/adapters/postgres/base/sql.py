"""The named queries: sections `-- name: …` of the files in `queries/`, a file an area."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString

_SECTION = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


def query(name: str) -> LiteralString:
    """The text of `area.name`: the section `name` of `queries/area.sql`, a part of the program like a literal in it."""
    area, _, section = name.partition(".")
    return sections(area)[section]


@cache
def sections(area: str) -> dict[str, LiteralString]:
    """All queries of an area, by name."""
    text: LiteralString = files("greenstream.adapters.postgres").joinpath("queries", f"{area}.sql").read_text("utf-8")
    _, *parts = _SECTION.split(text)
    return dict(zip(parts[::2], parts[1::2], strict=True))
