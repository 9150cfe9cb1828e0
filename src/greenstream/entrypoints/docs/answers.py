"""The page of JSON: what each command answers with `--json`, from the answers' dataclasses."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import Field, dataclass, fields, is_dataclass
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from greenstream.application.reports.json import name_of
from greenstream.domain.alerts.values import Alert
from greenstream.domain.reports import (
    corrections,
    demo,
    doctor,
    evaluation,
    fleet,
    loading,
    nights,
    place,
    rows,
    status,
)
from greenstream.domain.reports.doc import Doc
from greenstream.entrypoints.docs.markdown import code, table

SCALARS: Mapping[type, str] = {
    bool: "true, false",
    int: "integer",
    float: "number",
    Decimal: "decimal text",
    str: "text",
    datetime.datetime: "instant",
    datetime.date: "date",
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """In which form a command prints its answers, and what they are: one of `kinds` each."""

    form: str
    kinds: tuple[type, ...]


def one(*kinds: type) -> Answer:
    return Answer(form="One object.", kinds=kinds)


def array(*kinds: type) -> Answer:
    return Answer(form="An array of objects.", kinds=kinds)


def lines(of: str, *kinds: type) -> Answer:
    return Answer(form=f"One object a line and {of}, as soon as it is done.", kinds=kinds)


ANSWERS: Mapping[str, Answer] = {
    "alerts": array(Alert),
    "alerts ack": one(place.Acknowledged),
    "alerts list": array(Alert),
    "alerts test": lines("channel", place.ChannelTest),
    "archive": lines("day", nights.ArchivedDay),
    "backup": one(place.TakenBackup),
    "db grant": one(place.Granted),
    "db migrate": one(place.Migrated),
    "db url": one(place.DatabaseUrl),
    "dead-letters discard": one(loading.DiscardedLetters),
    "dead-letters list": array(rows.DeadLetter),
    "dead-letters replay": lines("dead letter", loading.ReplayedLetter),
    "dead-letters show": one(rows.DeadLetterDetail),
    "demo": one(demo.DemoReport),
    "doctor": one(doctor.Examination),
    "erase": lines("thing", corrections.ErasedThing),
    "evaluate": one(evaluation.Evaluation),
    "ingest": lines("file", loading.IngestedFile),
    "meters import": one(fleet.ImportedRoster),
    "meters list": array(rows.MeterRow),
    "nightly": lines("result", nights.SettledStep, nights.ArchivedStep, nights.RetiredStep, nights.DueStep),
    "quarantine discard": one(corrections.DiscardedRows),
    "quarantine discard-file": lines("file", corrections.DiscardedFile),
    "quarantine list": one(rows.Quarantine),
    "quarantine replay": lines("file", corrections.ReplayedRows),
    "quarantine show": lines("row", rows.QuarantinedDetail),
    "replay": lines("file or day", corrections.RuleFile, corrections.RuleDay),
    "reprocess": lines("file", corrections.ReprocessedRows),
    "restore": one(place.RestoredBackup),
    "settle": lines("day", nights.SettledDay),
    "simulate": one(fleet.SimulatedFleet),
    "status": one(status.Status),
    "verify": lines("day", nights.VerifiedDay),
}
"""By command; those of `query` are the query's."""


def sections() -> str:
    """A section a command, with a table of each object's fields."""
    return "\n\n".join(_section(command, answer) for command, answer in sorted(ANSWERS.items()))


def members(kind: Any) -> Iterator[tuple[str, Any, Doc]]:
    """Name in JSON, type and meaning of each field. Raises TypeError for one that says nothing of itself."""
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        hint = hints[field.name]
        doc = next((each for each in get_args(hint)[1:] if isinstance(each, Doc)), None)
        if get_origin(hint) is not Annotated or doc is None:
            raise TypeError(f"{kind.__name__}.{field.name} doesn't say what it means")
        yield from _member(field, get_args(hint)[0], doc)


def _member(field: Field[Any], of: Any, doc: Doc) -> Iterator[tuple[str, Any, Doc]]:
    if not field.metadata.get("flat"):
        yield name_of(field), of, doc
        return
    inner, _ = _without_null(of)
    yield from ((name, each | None, its_doc) for name, each, its_doc in members(inner))


def _section(command: str, answer: Answer) -> str:
    parts = [f"### {command}", answer.form]
    for kind in answer.kinds:
        parts += [str(kind.__doc__).partition("\n")[0], table(["field", "type", "unit", "meaning"], _rows(kind, ""))]
    return "\n\n".join(parts)


def _rows(kind: Any, path: str) -> Iterator[list[str]]:
    """The fields of an object, and below each those of what is in it: `days[].day`, `waiting.*.files`."""
    for name, of, doc in members(kind):
        yield [code(path + name), _type(of), doc.unit, doc.meaning]
        inner, steps = _innermost(of)
        if is_dataclass(inner):
            yield from _rows(inner, f"{path}{name}{steps}.")


def _innermost(of: Any) -> tuple[Any, str]:
    """What arrays and objects by name are made of, and the path to it."""
    of, _ = _without_null(of)
    if _is_many(of, Mapping):
        inner, steps = _innermost(get_args(of)[1])
        return inner, f".*{steps}"
    if _is_many(of, Sequence):
        inner, steps = _innermost(get_args(of)[0])
        return inner, f"[]{steps}"
    return of, ""


def _type(of: Any) -> str:
    of, is_optional = _without_null(of)
    return f"{_name(of)} or null" if is_optional else _name(of)


def _name(of: Any) -> str:
    if _is_many(of, Mapping):
        return f"object: {_type(get_args(of)[1])} by name"
    if _is_many(of, Sequence):
        return f"array: {_type(get_args(of)[0])}"
    if is_dataclass(of):
        return "object"
    return "text" if issubclass(of, Enum) else SCALARS[of]


def _without_null(of: Any) -> tuple[Any, bool]:
    """The type but for None, and whether it may be None."""
    if get_origin(of) not in (Union, UnionType):
        return of, False
    (inner,) = (each for each in get_args(of) if each is not NoneType)
    return inner, True


def _is_many(of: Any, what: type) -> bool:
    origin = get_origin(of)
    return isinstance(origin, type) and issubclass(origin, what)
