"""One JSON dialect; and every command's answers are described."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, NamedTuple

import pytest
import typer
from typer.core import TyperGroup

from greenstream.application.reports.json import name_of, to_json
from greenstream.domain.reports.doc import FLAT, Doc
from greenstream.domain.reports.status import ServerState, Status
from greenstream.entrypoints.cli.app import application
from greenstream.entrypoints.docs.answers import ANSWERS, members, sections

CET = timezone(timedelta(hours=1))
MIDNIGHT = datetime(2024, 3, 15, tzinfo=UTC)


class Colour(StrEnum):
    RED = "red"


class Pair(NamedTuple):
    first: int
    second: int | None


@dataclass(frozen=True, kw_only=True)
class Inner:
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Outer:
    from_: Annotated[str, Doc("text")]
    inner: Annotated[Inner | None, Doc("stands in the outer one")] = field(default=None, metadata=FLAT)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (17, "17"),
        (0.5, "0.5"),
        ("a\n'ä'", "\"a\\n'ä'\""),
        (Decimal("3.2500"), '"3.2500"'),
        (Colour.RED, '"red"'),
        (date(2024, 3, 15), '"2024-03-15"'),
        (datetime(2024, 3, 15, 18, 45, tzinfo=UTC), '"2024-03-15T18:45:00+00:00"'),
        (datetime(2024, 3, 15, 19, 45, 0, 5, tzinfo=CET), '"2024-03-15T18:45:00.000005+00:00"'),
        ([Pair(1, None)], '[{"first": 1, "second": null}]'),
        ({Colour.RED: (1, 2)}, '{"red": [1, 2]}'),
        (Inner(at=MIDNIGHT), '{"at": "2024-03-15T00:00:00+00:00"}'),
        (Outer(from_="a", inner=Inner(at=MIDNIGHT)), '{"from": "a", "at": "2024-03-15T00:00:00+00:00"}'),
        (Outer(from_="a"), '{"from": "a", "at": null}'),
    ],
)
def test_each_kind_of_value_has_one_form(value: object, text: str) -> None:
    assert to_json(value) == text


@pytest.mark.parametrize("value", [datetime(2024, 3, 15), b"bytes", object(), {1, 2}])  # noqa: DTZ001
def test_what_has_no_place_in_json_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        to_json(value)


def test_a_status_has_all_of_its_fields_whatever_is_known() -> None:
    status = Status(
        server=ServerState(kind="yours", running=False), store="here", timezone="UTC", version=None, stored=None
    )
    answer = json.loads(to_json(status))
    assert list(answer) == [name for name, _, _ in members(Status)]
    assert answer["rows"] is None


def commands(context: typer.Context, *names: str) -> Iterator[tuple[str, Any]]:
    """Each command and its options."""
    yield " ".join(names), context.command
    if isinstance(context.command, TyperGroup):
        for name, command in context.command.commands.items():
            yield from commands(typer.Context(command, info_name=name, parent=context), *names, name)


def test_the_answers_of_each_command_with_json_are_described() -> None:
    root = typer.Context(typer.main.get_command(application()), info_name="greenstream")
    told = {name for name, command in commands(root) if any("--json" in each.opts for each in command.params)}
    assert told - {"query"} == set(ANSWERS)


@pytest.mark.parametrize("kind", dict.fromkeys(kind for answer in ANSWERS.values() for kind in answer.kinds))
def test_each_field_says_what_it_means_and_each_object_what_it_is(kind: Any) -> None:
    assert not kind.__doc__.startswith(f"{kind.__name__}(")
    assert all(doc.meaning for _, _, doc in members(kind))
    flat = [each for each in fields(kind) if each.metadata.get("flat")]
    assert flat or [name for name, _, _ in members(kind)] == [name_of(each) for each in fields(kind)]


def test_what_is_in_an_object_is_described_below_it() -> None:
    rows = re.findall(r"^\| `(\S+)` \| ([^|]+) \|", sections(), re.MULTILINE)
    assert ("server.size_bytes", "integer or null") in rows
    assert ("waiting", "object: object by name or null") in rows
    assert ("waiting.*.files", "integer") in rows
    assert ("rows[].raw_line", "text") in rows
    assert ("curve.mean_kw", "object: array: decimal text or null by name") in rows
    assert ("changes[].from", "text") in rows
