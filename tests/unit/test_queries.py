"""The named queries: each is used, and each that is used exists."""

import ast
import re
from importlib.resources import files
from pathlib import Path

from greenstream.adapters.postgres.base.sql import sections

SOURCES = Path(__file__).parents[2] / "src/greenstream"
AREAS = sorted(
    path.name.removesuffix(".sql") for path in files("greenstream.adapters.postgres").joinpath("queries").iterdir()
)
NAME = re.compile(rf"({'|'.join(AREAS)})\.[a-z]\w*")


def existing() -> set[str]:
    return {f"{area}.{name}" for area in AREAS for name in sections(area)}


def used() -> set[str]:
    """Names that stand as literals in the program; there are no others, for a name is never put together."""
    constants = (node for path in SOURCES.rglob("*.py") for node in ast.walk(ast.parse(path.read_text("utf-8"))))
    texts = (node.value for node in constants if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return {text for text in texts if NAME.fullmatch(text)}


def test_each_query_is_used_and_each_that_is_used_exists():
    assert used() == existing()


def test_no_section_is_empty_or_there_twice():
    for area in AREAS:
        text = files("greenstream.adapters.postgres").joinpath("queries", f"{area}.sql").read_text("utf-8")
        assert len(re.findall(r"^-- name: ", text, re.MULTILINE)) == len(sections(area))
        assert all(body.strip() for body in sections(area).values())
