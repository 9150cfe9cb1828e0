"""The page of the log names each event that the services write."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from greenstream.domain.ledger import Outcome

ROOT = Path(__file__).parents[2]
ENTRYPOINTS = ROOT / "src/greenstream/entrypoints"
SOURCES = [*sorted((ENTRYPOINTS / "service").glob("*.py")), ENTRYPOINTS / "cli/up.py"]
LEVELS = {"debug", "info", "warning", "error", "exception"}


def calls(source: Path) -> Iterator[ast.Call]:
    """Calls of a logger."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS:
            yield node


def test_each_event_of_the_code_is_documented_and_each_documented_one_is_in_the_code() -> None:
    found = {call.args[0] for source in SOURCES for call in calls(source)}
    written = {node.value for node in found if isinstance(node, ast.Constant)} | set(Outcome)
    page = (ROOT / "docs/reference/logs.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([^`]+)` \| (?:debug|info|warning|error) ", page, re.MULTILINE)) == written
