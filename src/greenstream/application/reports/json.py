"""The one JSON dialect: of commands, and of whatever else answers with JSON.

Instants are RFC 3339 in UTC, with the offset `+00:00`; dates are `YYYY-MM-DD`. A decimal number is a string, so that it
stays exact; what is absent is null. A field has the name of its dataclass's, without a last `_` (`from_`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, get_args, get_type_hints


def to_json(answer: object) -> str:
    """An answer in one line. Raises TypeError for a value that has no place in JSON."""
    return json.dumps(plain(answer), ensure_ascii=False)


def plain(value: object) -> Any:
    """An answer as what JSON knows: objects, arrays, texts, numbers, true, false, null."""
    match value:
        case None | bool() | Enum() | Decimal() | str() | int() | float():
            return _scalar(value)
        case datetime() | date():
            return _time(value)
        case Mapping():
            return {str(name): plain(each) for name, each in value.items()}
        case tuple() if hasattr(value, "_asdict"):
            return plain(value._asdict())
        case Sequence() if not isinstance(value, bytes):
            return [plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return dict(_members(value))
    raise TypeError(f"{type(value).__name__} has no place in JSON")


def name_of(field: Field[Any]) -> str:
    """The name of a dataclass's field in JSON."""
    return field.name.removesuffix("_")


def _scalar(value: bool | Enum | Decimal | str | float | None) -> Any:
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, Decimal) else value


def _time(value: date) -> str:
    if not isinstance(value, datetime):
        return value.isoformat()
    if value.tzinfo is None:
        raise TypeError(f"{value} is no instant: it has no offset")
    return value.astimezone(UTC).isoformat()


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    for field in fields(value):
        member = getattr(value, field.name)
        if not field.metadata.get("flat"):
            yield name_of(field), plain(member)
        elif member is None:
            yield from _nothing(type(value), field.name)
        else:
            yield from _members(member)


def _nothing(kind: type, name: str) -> tuple[tuple[str, None], ...]:
    """The fields that stand in the object around them, without a value."""
    (inner,) = (each for each in get_args(get_type_hints(kind)[name]) if is_dataclass(each))
    return tuple((name_of(field), None) for field in fields(inner))
