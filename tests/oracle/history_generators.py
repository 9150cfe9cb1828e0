"""Histories of a few meters, full of runs, windows and spikes at the thresholds of the history rules.

A history is files of rows that go through `evaluate_file`. Its timestamps have offsets, so that a row means the
same in any file, and a slot has at most two readings, so that `shuffled` can keep the order that matters.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import isqrt
from random import Random
from zoneinfo import ZoneInfo

from tests.oracle.history_grid import local_day
from tests.oracle.instants import EPOCH
from tests.oracle.reference import Reading, evaluate_file, store

File = tuple[str, bytes]
# What a slot gets: kW in units of 0.1 W, a text that is no kW, or no row.
Cell = int | str | None
HEADER = "meter_id,timestamp,energy_value,location"
STEP = timedelta(minutes=15)
WEEK = 672
IN_ORDER = "corrections"
STARTS = {
    "UTC": ("2024-02-26", "2023-12-28"),
    "Europe/Berlin": ("2024-03-28", "2024-10-24", "2024-03-31", "2024-10-27"),
    "America/New_York": ("2024-03-07", "2024-10-31", "2024-03-10"),
    "Asia/Kathmandu": ("2024-03-12",),
}
NULLS = ("", "null", "-", "NaN")
INVALID = ("abc", "12..5 kW", "5 Volts", "7", "1e9 kW")
TOP = 9_999_999_999_999
OUTSIDE = (500_000, 500_001, 730_000, -1, -20_000, TOP)
SHORT = (1, 2, 3, 4, 4, 5, 5, 6, 9)
LONG = (20, 85, 86, 87, 88, 95, 96, 97, 98, 120)
KINDS = {"lively": 10, "missing": 6, "mixed": 3, "zero": 3, "constant": 3, "edge": 2, "outside": 1, "invalid": 1}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a history is to be read; `now` is after all of it."""

    timezone: str
    interval_minutes: int
    now: datetime
    max_kw: int = 50


@dataclass(frozen=True, kw_only=True)
class Row:
    """A line, and what tells apart the slots: the meter and the slot's number since 1970."""

    key: tuple[str, int]
    line: str


def random_history(
    seed: int, *, meters: int = 6, days: int | None = None, resets: Sequence[int] = (), scale: int = 1
) -> tuple[list[File], Settings]:
    """Files in the order of their delivery, and how to read them; the same for the same seed.

    `resets`: so many days before the others some clocks were once, each a meter's. `scale`: how many times 50 kW, and
    all other powers, are multiplied.
    """
    rng = Random(seed)
    timezone = rng.choice(sorted(STARTS))
    zone = ZoneInfo(timezone)
    start = datetime.fromisoformat(rng.choice(STARTS[timezone])).replace(tzinfo=zone).astimezone(UTC)
    size = 96 * (days or rng.randint(3, 14)) - rng.choice((0, 1, 2, 30, rng.randrange(96)))
    names = [f"SM-{number}" for number in rng.sample(range(1000, 9999), meters)]
    cells = {name: meter_cells(rng, size) for name in names}
    silence(rng, cells, [local_day(start + number * STEP, zone) for number in range(size)])
    for each in cells.values():
        each[:] = [min(cell * scale, TOP) if isinstance(cell, int) else cell for cell in each]
    first, free, ordered = [rows_of(rng, each, start, zone) for each in (cells, *corrections(rng, cells))]
    for days_before in resets:
        free += rows_of(rng, reset(rng, names, scale), start - days_before * 96 * STEP, zone)
    now = start + (size + 96) * STEP
    settings = Settings(timezone=timezone, interval_minutes=15, now=now, max_kw=50 * scale)
    return files_of(rng, first, free, ordered), settings


def readings_of(files: Sequence[File], settings: Settings) -> list[Reading]:
    """What is stored of the files, in the order of processing; a content that is known isn't loaded again."""
    first = {content: name for name, content in reversed(files)}
    ordered = sorted((files.index((name, content)), name, content) for content, name in first.items())
    return store(
        evaluate_file(
            name,
            content,
            received_at=settings.now,
            now=settings.now,
            timezone=settings.timezone,
            interval_minutes=settings.interval_minutes,
        )
        for _, name, content in ordered
    ).readings


def shuffled(files: Sequence[File], seed: int) -> list[File]:
    """The same rows in other files and in another order, some rows and files more than once.

    Of two readings of a slot that compete by their order, the one from `IN_ORDER` stays in a later file.
    """
    rng = Random(seed)
    count = rng.randint(2, 12)
    piles: list[list[str]] = [[] for _ in range(count + 1)]
    place: dict[tuple[str, int], int] = {}
    for name, content in files:
        for row in parse(content):
            late = name.startswith(IN_ORDER)
            at = rng.randrange(place[row.key] + 1, count + 1) if late else rng.randrange(count)
            place[row.key] = max(at, place.get(row.key, 0))
            for pile in [at, *([rng.randint(at, count)] if rng.random() < 0.05 else [])]:
                piles[pile].append(row.line)
    delivered = [write(f"part-{number:02d}.csv", rng.sample(lines, len(lines))) for number, lines in enumerate(piles)]
    for number in range(rng.randrange(4)):
        at = rng.randrange(len(delivered))
        delivered.insert(rng.randint(at + 1, len(delivered)), (f"again-{number}.csv", delivered[at][1]))
    return delivered


def meter_cells(rng: Random, size: int) -> list[Cell]:
    cells: list[Cell] = []
    while len(cells) < size:
        cells += segment(rng)
    del cells[size:]
    if rng.random() < 0.5:
        calm(rng, cells)
    if size > 900 and rng.random() < 0.25:
        begin, length = rng.randrange(40, size - 850), rng.randint(769, 840)
        cells[begin : begin + length] = [None] * length
    if rng.random() < 0.35:
        begin = begin_late(rng, size)
        cells[:begin] = [None] * begin
    rng.choice((plant, tune_missing, tune_missing))(rng, cells)
    add_spikes(rng, cells)
    if rng.random() < 0.2:
        cells[-rng.choice((*SHORT, 100)) :] = [None]
        cells += [None] * (size - len(cells))
    return cells


def reset(rng: Random, names: Sequence[str], scale: int) -> dict[str, list[Cell]]:
    """What a meter sent while its clock was wrong: a reading, or some, or as many as make it stuck or spike."""
    cells = rng.choice(([0], [None, 20_000], ["null"], lively(rng, 97), [20_000] * 120, [*lively(rng, 96), 400_000]))
    return {rng.choice(names): [cell * scale if isinstance(cell, int) else cell for cell in cells]}


def begin_late(rng: Random, size: int) -> int:
    """Anywhere, or about 96 slots before the end of a day; clocks may have been changed in between."""
    if rng.random() < 0.4:
        return rng.randrange(size)
    return max(rng.randint(1, size // 96) * 96 + rng.choice((0, 4, -4)) - rng.choice((94, 95, 96, 97)), 0)


def plant(rng: Random, cells: list[Cell]) -> None:
    """Runs at one value, of exactly the length of a threshold, between values far from it."""
    for _ in range(2):
        value, length = rng.choice(((0, 96), (0, 97), (20_000, 86), (20_000, 87), (499_999, 96)))
        run: list[Cell] = [100_000, *[value] * length, 200_000]
        begin = rng.randrange(len(cells) - len(run))
        if begin >= begin_of(cells):
            cells[begin : begin + len(run)] = run


def segment(rng: Random) -> list[Cell]:
    """A stretch of one kind, often as long as a threshold; perhaps with another slot in between."""
    kind = rng.choices(list(KINDS), weights=list(KINDS.values()))[0]
    length = rng.choice(SHORT) if kind in ("missing", "mixed") and rng.random() < 0.7 else rng.choice(LONG)
    base = rng.choice((0, 1, 5000, 20_000, 499_999, rng.randrange(1000, 100_000)))
    cells: list[Cell]
    if kind == "lively":
        cells = lively(rng, rng.choice((1, 3, 10, 40, 100, 200)))
    elif kind == "edge":
        # Half above and half below by 0.1 kW: a variance of exactly 0.01 kW², or a little less or more.
        half = rng.choice((999, 1000, 1000, 1001))
        cells = [base + 1001 + (half if number % 2 else -half) for number in range(length)]
    else:
        choices: dict[str, tuple[Cell, ...]] = {
            "missing": (rng.choice((None, rng.choice(NULLS))),),
            "mixed": (None, *NULLS),
            "zero": (0,),
            "constant": (base,),
            "outside": OUTSIDE,
            "invalid": INVALID,
        }
        cells = [rng.choice(choices[kind]) for _ in range(length)]
    if kind in ("zero", "constant", "edge", "missing") and rng.random() < 0.4:
        pierce(rng, cells)
    return cells


def lively(rng: Random, length: int) -> list[Cell]:
    base, swing = rng.randrange(5_000, 60_000), rng.choice((1_500, 4_000, 4_999))
    return [base + rng.randint(-swing, swing) for _ in range(length)]


def pierce(rng: Random, cells: list[Cell]) -> None:
    """One slot, or nine or ten, that are of another kind than their stretch."""
    other: Cell = rng.choice((None, rng.choice(NULLS), rng.choice(INVALID), rng.choice(OUTSIDE), 1, 30_000))
    for number in rng.sample(range(len(cells)), min(len(cells), rng.choice((1, 9, 10)))):
        cells[number] = other


def calm(rng: Random, cells: list[Cell]) -> None:
    """Fill most gaps: a meter that is reliable, or nearly so."""
    for number, cell in enumerate(cells):
        if not isinstance(cell, int) and rng.random() < 0.97:
            cells[number] = rng.randrange(5_000, 30_000)


def begin_of(cells: Sequence[Cell]) -> int:
    return next((number for number, cell in enumerate(cells) if cell is not None), len(cells))


def tune_missing(rng: Random, cells: list[Cell]) -> None:
    """Make the share of missing slots in a window that ends like a day the last below a threshold, or the next."""
    begin = begin_of(cells)
    ends = [end for end in range(92, len(cells) + 1) if (end - begin) >= 90 and end % 96 in (0, 4, 92)]
    if not ends:
        return
    end = rng.choice(ends)
    window = range(max(begin + 1, end - WEEK), end)
    target = len(window) // rng.choice((5, 5, 20)) + rng.choice((0, 0, 1, 1, 2, -1))
    missing = [number for number in window if cells[number] is None or cells[number] in NULLS]
    present = [number for number in window if number not in set(missing)]
    for number in rng.sample(missing, max(len(missing) - target, 0)):
        cells[number] = rng.randrange(5_000, 30_000)
    for number in rng.sample(present, min(max(target - len(missing), 0), len(present))):
        cells[number] = rng.choice((None, *NULLS))


def add_spikes(rng: Random, cells: list[Cell]) -> None:
    """Put some slots on mean + 4·std of the week before them, or 0.1 W above."""
    for number in sorted(rng.sample(range(len(cells)), min(len(cells), rng.randrange(8)))):
        usable = [
            cell for cell in cells[max(number - WEEK, 0) : number] if isinstance(cell, int) and 0 <= cell < 500_000
        ]
        if len(usable) >= 90 and isinstance(cells[number], int):
            total = sum(usable)
            scatter = len(usable) * sum(cell**2 for cell in usable) - total**2
            cells[number] = (total + isqrt(16 * scatter)) // len(usable) + rng.choice((0, 1))


def silence(rng: Random, cells: dict[str, list[Cell]], days: Sequence[date]) -> None:
    """Take all rows of one or two local days, or all but one row."""
    between = sorted(set(days))[1:-1]
    chosen = rng.sample(between, min(len(between), rng.choice((0, 0, 0, 0, 1, 1, 2))))
    kept = rng.random() < 0.2
    for each in cells.values():
        for number, day in enumerate(days):
            if day in chosen and not (kept and number % 96 == 50):
                each[number] = None


def corrections(rng: Random, cells: dict[str, list[Cell]]) -> tuple[dict[str, list[Cell]], dict[str, list[Cell]]]:
    """Second readings of slots that have one: those that win or lose by what they are, and those by their order."""
    free: dict[str, list[Cell]] = {}
    ordered: dict[str, list[Cell]] = {}
    share = rng.choice((0.0, 0.005, 0.03))
    for name, each in cells.items():
        free[name], ordered[name] = [None] * len(each), [None] * len(each)
        for number, cell in enumerate(each):
            if cell is None or rng.random() >= share:
                continue
            if isinstance(cell, str):
                free[name][number] = rng.randrange(60_000)
            elif rng.random() < 0.4:
                free[name][number] = rng.choice((*NULLS, *INVALID))
            else:
                ordered[name][number] = cell + rng.choice((1, 5, 10_000, 400_000))
    return free, ordered


def rows_of(rng: Random, cells: dict[str, list[Cell]], start: datetime, zone: ZoneInfo) -> list[Row]:
    """The rows by slot, the meters of a slot together."""
    numbers = range(max(map(len, cells.values())))
    rows = []
    for number in numbers:
        for position, (name, each) in enumerate(cells.items()):
            cell = each[number]
            if cell is not None:
                at = start + number * STEP + timedelta(seconds=rng.choice((0, 0, 0, rng.randrange(900))))
                text = cell if isinstance(cell, str) else energy_text(rng, cell)
                stamp = stamp_text(rng, at, zone)
                rows.append(Row(key=key_of(name, stamp), line=f"{name},{stamp},{text},Residential_Zone_{position}"))
    return rows


def energy_text(rng: Random, units: int) -> str:
    sign, digits = "-" if units < 0 else "", abs(units)
    if rng.random() < 0.5:
        return f"{sign}{digits // 10}.{digits % 10} W"
    return f"{sign}{digits // 10_000}.{digits % 10_000:04d} kW"


def stamp_text(rng: Random, at: datetime, zone: ZoneInfo) -> str:
    if rng.random() < 0.5:
        return f"{at:%Y-%m-%d %H:%M:%S}Z"
    return at.astimezone(zone).isoformat(sep=rng.choice(("T", " ")))


def key_of(meter: str, stamp: str) -> tuple[str, int]:
    return meter, (datetime.fromisoformat(stamp) - EPOCH) // STEP


def files_of(rng: Random, first: list[Row], free: list[Row], ordered: list[Row]) -> list[File]:
    """Files as time goes on, of some hours or days; late rows and corrections in files of their own after them."""
    late_share = rng.choice((0.0, 0.02, 0.2))
    punctual: list[Row] = []
    late: list[Row] = []
    for row in first:
        (late if rng.random() < late_share else punctual).append(row)
    size = rng.choice((200, 600, 2_000))
    batches = [("readings", batch) for batch in batched(punctual, size)]
    batches += [("late", batch) for batch in batched([*late, *free], size)]
    batches += [(IN_ORDER, batch) for batch in batched(ordered, size)]
    numbers: Counter[str] = Counter()
    files = []
    for kind, batch in batches:
        numbers[kind] += 1
        files.append(write(f"{kind}-{numbers[kind]:03d}.csv", [row.line for row in batch]))
    return files


def batched(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    for begin in range(0, len(rows), size):
        yield rows[begin : begin + size]


def write(name: str, lines: Sequence[str]) -> File:
    return name, "\n".join([HEADER, *lines, ""]).encode()


def parse(content: bytes) -> list[Row]:
    lines = content.decode().splitlines()[1:]
    return [Row(key=key_of(*line.split(",")[:2]), line=line) for line in lines]
