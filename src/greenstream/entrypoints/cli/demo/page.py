"""The demo's facts as a page for a terminal, or without colours for a file."""

import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from rich.console import Console as RichConsole
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from greenstream.domain.reports.demo import (
    Arrived,
    Compared,
    Curve,
    DemoFacts,
    Flagged,
    InHistory,
    InLake,
    Quarantined,
    Simulated,
)
from greenstream.domain.reports.doc import Counts
from greenstream.domain.text import printable
from greenstream.entrypoints.cli.pictures import Bar, bars, day_curve, share

WIDEST = 120
GLUE = "\N{NO-BREAK SPACE}"
WIDEST_BARS = 80
CURVE_ROWS = 6
PANEL = 58  # two curves beside each other from twice this on
GRADE_STYLES = {"A": "green", "B": "cyan", "C": "yellow", "F": "red"}
CLASS_STYLES = {"Residential": "cyan", "Commercial": "magenta"}
WHY = {
    "INVALID_VALUE": "no readable number",
    "INVALID_UNIT": "the unit is neither W nor kW",
    "MISSING_READING": "no energy value",
    "TIMESTAMP_INFERRED": "time read from its neighbours",
    "OUT_OF_RANGE": "outside the valid power range",
    "MALFORMED_ROW": "no record of the header's columns",
    "MISSING_METER_ID": "no meter_id",
    "TIMESTAMP_UNRECOVERABLE": "unreadable, and no neighbours tell",
    "TIMESTAMP_OUT_OF_RANGE": "a clock that was reset, or runs ahead",
}
FIGURES = {
    "CONSECUTIVE_MISSING": "{run_slots:.0f} slots missing",
    "DEAD_METER": "{run_slots:.0f} slots at 0 kW",
    "STUCK_METER": "variance {variance_kw2:.4f} kW²",
    "ERRATIC_SPIKE": "{kw:.2f} kW: mean + {deviations:.0f} std",
    "COMMUNICATION_FAILURE": "{missing:.0f} of {slots:.0f} slots missing",
}
"""Why a meter's history is a finding: the figures of `detail`."""
NOT_ALL_FAULTS = "Not each is a fault: an oven in a quiet home is a spike by the rule, too."
ENDS = {"stored": "stored as a correction", "duplicate": "counted as duplicate"}
NAMES = {"duplicate": "duplicate (the same content again: nothing is written)"}
QUERIES = (
    "SELECT region, max(consumption_kw) FROM current_readings GROUP BY region",
    "SELECT meter_id, reading_at, flags FROM meter_readings WHERE flags <> '{}' LIMIT 9",
    "SELECT code, raw_line FROM quarantined_rows LIMIT 9",
)
LAKE_QUERIES = ("SELECT region, day, round(sum(kwh), 1) AS kwh FROM meter_days GROUP BY ALL ORDER BY ALL",)


@dataclass(frozen=True)
class Page:
    """Writes section after section to one console."""

    console: RichConsole

    @classmethod
    def on_stdout(cls) -> "Page":
        console = RichConsole(file=sys.stdout, markup=False, highlight=False, emoji=False)
        console.width = min(console.width, WIDEST)
        return cls(console)

    def show(self, facts: DemoFacts, seconds: float, exports: Sequence[str]) -> None:
        """Nothing stays at the end of a line but what is written there: rich fills its tables up with blanks."""
        with self.console.capture() as capture:
            self._write(facts, seconds, exports)
        for line in capture.get().splitlines():
            self.console.file.write(f"{line.rstrip()}\n")

    def _write(self, facts: DemoFacts, seconds: float, exports: Sequence[str]) -> None:
        self._section("What was simulated", simulated_lines(facts.simulated, self._width))
        self._section("What arrived", arrived_lines(facts.arrived, seconds))
        readings = sum(facts.grades.values())
        self._section("What was flagged: stored, and marked", [self._flags(facts.flagged, readings)])
        self._section("What was found in the history of meters", history_parts(facts.history))
        self._section("What was quarantined: kept aside, whole", quarantine_lines(facts.quarantined))
        self._section("Were the faults found?", [self._compared(facts.compared), *other_faults(facts, self._width)])
        self._section("Quality grades", [self._grades(facts.grades)])
        self._section(f"Load curve of {facts.curve.day:%A, %d %B %Y}", [self._curves(facts.curve)])
        self._section("What is in the lake", lake_lines(facts.lake, facts.simulated))
        self._next_steps(exports)

    @property
    def _width(self) -> int:
        return self.console.width - 2

    def _section(self, title: str, body: Iterable[RenderableType]) -> None:
        self.console.print()
        self.console.print(Text(title, style="bold"))
        for each in body:
            self.console.print(Padding(each, (0, 0, 0, 2), expand=False))

    def _flags(self, flagged: Sequence[Flagged], readings: int) -> RenderableType:
        table = _table("code", "count>", "share>", "example", "why")
        for each in sorted(flagged, key=lambda one: -one.times):
            why = WHY.get(each.code, f"rule {each.rule_id}")
            table.add_row(each.code, f"{each.times:,}", share(each.times, readings), example_of(each), why)
        return table if flagged else Text("nothing")

    def _compared(self, compared: Sequence[Compared]) -> RenderableType:
        table = _table("fault", "put in>", "findable>", "found>", "", "as")
        for each in compared:
            ends = " or ".join(ENDS.get(code, code) for code in each.expected)
            table.add_row(
                each.fault, f"{each.simulated:,}", f"{each.findable:,}", f"{each.found:,}", mark_of(each), ends
            )
        return table if compared else Text("no faults were simulated")

    def _grades(self, grades: Counts) -> RenderableType:
        items = [Bar(label=grade, count=count, style=GRADE_STYLES.get(grade, "")) for grade, count in grades.items()]
        return bars(items, width=min(self._width, WIDEST_BARS))

    def _curves(self, curve: Curve) -> RenderableType:
        """Each class on a scale of its own, for they differ tenfold; side by side where there is room."""
        classes = sorted(curve.mean_kw.items(), reverse=True)
        pictures = [self._curve(name, _floats(values), curve.timezone) for name, values in classes]
        grid = Table.grid(padding=(0, 2))
        if self.console.width >= 2 * PANEL:
            grid.add_row(*pictures)
        else:
            for picture in pictures:
                grid.add_row(picture)
        return grid

    def _curve(self, name: str, values: Sequence[float | None], timezone: str) -> Text:
        known = [value for value in values if value is not None]
        when = values.index(max(known)) * 24 * 60 // len(values)
        title = f"{name}, mean kW per meter ({timezone})\n"
        peak = f"highest {max(known):.2f} kW at {when // 60:02d}:{when % 60:02d}, lowest {min(known):.2f} kW\n"
        columns = 48 if len(values) % 48 == 0 else 24
        picture = day_curve(values, columns=columns, height=CURVE_ROWS, style=CLASS_STYLES.get(name, ""))
        return Text.assemble(title, (peak, "dim"), picture, "\n")

    def _next_steps(self, exports: Sequence[str]) -> None:
        """Commands one can copy: never wrapped, nor indented by what isn't theirs."""
        self.console.print()
        self.console.print(Text("What to do next: the database is running, look around", style="bold"))
        lines = [*exports, *(f'greenstream query "{query}"' for query in QUERIES)]
        lines += [f'greenstream query --lake "{query}"' for query in LAKE_QUERIES]
        lines += ["greenstream verify       # database, lake and files tell the same"]
        lines += ["greenstream status", "greenstream db url       # for psql and your own programs"]
        lines += ["greenstream down         # stop the database; the data stays", "greenstream --help"]
        for line in lines:
            self.console.print(f"  {line}", soft_wrap=True)


def simulated_lines(simulated: Simulated, width: int) -> Iterable[str]:
    days = (simulated.last_day - simulated.first_day).days + 1
    yield (
        f"{simulated.meters:,} meters for {days} day{'s' if days > 1 else ''}, {simulated.first_day} to "
        f"{simulated.last_day} ({simulated.timezone}): {simulated.files:,} files, {simulated.rows:,} rows, "
        f"{simulated.size_bytes / 1e6:.1f} MB"
    )
    if simulated.faults:
        faults = sorted(simulated.faults.items(), key=lambda one: -one[1])
        yield counted("Faults put in:", faults, width)


def arrived_lines(arrived: Arrived, seconds: float) -> Iterable[str]:
    files = ", ".join(f"{count:,} {NAMES.get(outcome, outcome)}" for outcome, count in arrived.outcomes.items())
    yield f"{sum(arrived.outcomes.values()):,} deliveries: {files}"
    if arrived.is_known:
        yield "All of them were loaded by an earlier run: the same content again, so nothing was written twice."
        yield "What follows is what that run found. To start over: greenstream demo --fresh"
        return
    yield (
        f"{arrived.rows:,} rows = {arrived.stored:,} stored + {arrived.duplicate:,} duplicate "
        f"+ {arrived.rejected:,} rejected, in {seconds:.1f} s with all set-up"
    )


def lake_lines(lake: InLake, simulated: Simulated) -> Iterable[str]:
    less = 1 - lake.size_bytes / simulated.size_bytes
    yield (
        f"{lake.days} days, settled and archived as Parquet: {lake.readings:,} readings in {lake.objects:,} objects, "
        f"{lake.size_bytes / 1e6:.1f} MB, {less:.0%} less than the files"
    )


def quarantine_lines(quarantined: Sequence[Quarantined]) -> Iterable[RenderableType]:
    """Two lines a code, so that a raw line has room; it is shown as it came."""
    for each in sorted(quarantined, key=lambda one: -one.times):
        yield f"{each.times:>6,}  {each.code:<23}  {WHY.get(each.code, f'rule {each.rule_id}')}"
        yield Padding(Text(printable(each.raw_line), style="italic", overflow="fold"), (0, 0, 0, 8), expand=False)
    if not quarantined:
        yield "nothing"


def history_parts(found: Sequence[InHistory]) -> Iterable[RenderableType]:
    """A line a code, with the figures of one case."""
    if not found:
        yield "nothing"
        return
    table = _table("code", "count>", "example", "since", "why")
    for each in sorted(found, key=lambda one: -one.times):
        table.add_row(
            each.code, f"{each.times:,}", printable(each.meter_id), f"{each.window_start:%m-%d %H:%M}", figures_of(each)
        )
    yield table
    yield Text(NOT_ALL_FAULTS, style="dim")


def figures_of(found: InHistory) -> str:
    detail = dict(found.detail)
    if "kw" in detail:
        detail["deviations"] = (detail["kw"] - detail["mean_kw"]) / detail["std_kw"]
    return FIGURES[found.code].format(**detail)


def mark_of(compared: Compared) -> Text:
    """Whether all that can be found was found; else the share, cut to whole percents."""
    if compared.found == compared.findable:
        return Text("✓", style="green")
    return Text(f"{100 * compared.found // compared.findable} %", style="yellow")


def example_of(flagged: Flagged) -> str:
    """What the flag is about: the energy text as it came, or the time that was inferred."""
    if flagged.code == "TIMESTAMP_INFERRED":
        return f"→ {flagged.reading_at:%m-%d %H:%M}"
    return "(empty)" if flagged.energy_value is None else printable(flagged.energy_value)


def other_faults(facts: DemoFacts, width: int) -> Iterable[str]:
    """The faults that no rule is for."""
    rows = {each.fault for each in facts.compared}
    others = [(name, count) for name, count in facts.simulated.faults.items() if name not in rows]
    if others:
        yield counted("No finding is right for these:", others, width)


def counted(lead: str, counts: Iterable[tuple[str, int]], width: int) -> str:
    """A list of counts in lines of that width, none of which parts a count from its name."""
    items = ", ".join(f"{count:,}{GLUE}{name}" for name, count in counts)
    return "\n".join(textwrap.wrap(f"{lead} {items}", width)).replace(GLUE, " ")


def _table(*columns: str) -> Table:
    """Headers in bold; columns whose name ends in `>` are right-aligned, and only the last one is ever folded."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold dim")
    for name in columns:
        table.add_column(
            name.removesuffix(">"),
            justify="right" if name.endswith(">") else "left",
            no_wrap=name != columns[-1],
            overflow="fold",
        )
    return table


def _floats(values: Sequence[Decimal | None]) -> list[float | None]:
    return [None if value is None else float(value) for value in values]
