r"""The examples in the docstrings of rules.

    Example: energy_value `3250 W` → consumption_kw `3.25`
    Flagged: timestamp `2024-03-15 18:30`, `???` → row 2: TIMESTAMP_INFERRED, reading_at `2024-03-15 18:45:00`
    Rejected: timestamp `1970-01-01 00:15:00` → TIMESTAMP_OUT_OF_RANGE
    Clean: energy_value `12.5 kW` → no flag
    Flagged: slots `1 kW, 5 × missing, 1 kW` → CONSECUTIVE_MISSING

On the left are a column and its text in one or more rows, or whole rows (`row`), or the slots of a meter from the
start of a day on. On the right is what comes out, of all rows or of the one that is named: flags or the code of a
rejection or a finding, values of columns, `no flag` or, of the rule in question, `no finding`.
"""

import re
from dataclasses import dataclass

KINDS = ("Flagged", "Clean", "Rejected", "Example")
START = re.compile(rf"^({'|'.join(KINDS)}): ", re.MULTILINE)
EXAMPLE = re.compile(
    r"(?P<kind>[A-Z][a-z]+): (?P<column>[a-z_]+) (?P<texts>`[^`]+`(?:, `[^`]+`)*)"
    r" → (?:row (?P<row>[0-9]+): )?(?P<outcome>.+)"
)
CODE = re.compile(r"\b[A-Z]+(?:_[A-Z]+)+\b")
VALUE = re.compile(r"([a-z_]+) `([^`]+)`")


@dataclass(frozen=True, kw_only=True)
class Example:
    """One example; `row` counts from 1, None stands for all rows."""

    kind: str
    column: str
    texts: tuple[str, ...]
    row: int | None
    outcome: str

    @property
    def codes(self) -> tuple[str, ...]:
        """The flags, or the code of the rejection."""
        return tuple(CODE.findall(VALUE.sub("", self.outcome)))

    @property
    def values(self) -> dict[str, str]:
        """Column by column, as text; `null` for none."""
        return dict(VALUE.findall(self.outcome))


def examples_in(docstring: str) -> list[Example]:
    """The examples of a docstring.

    Raises:
        ValueError: one of them isn't regular.
    """
    found = [" ".join(line.split()) for line in _paragraphs(docstring)]
    return [_read(text) for text in found]


def _paragraphs(docstring: str) -> list[str]:
    """Each example up to the next one, or to the end of its paragraph."""
    starts = [match.start() for match in START.finditer(docstring)]
    ends = [*starts[1:], len(docstring)]
    return [docstring[start:end].split("\n\n")[0] for start, end in zip(starts, ends, strict=False)]


def _read(text: str) -> Example:
    found = EXAMPLE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no regular example")
    return Example(
        kind=found["kind"],
        column=found["column"],
        texts=tuple(re.findall("`([^`]+)`", found["texts"])),
        row=int(found["row"]) if found["row"] else None,
        outcome=found["outcome"],
    )
