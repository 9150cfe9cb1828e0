"""`ingest`: land files and process them now."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from greenstream.entrypoints.cli.console import Console, ExitCode, Json, UsageError, command, open_place, stop
from greenstream.entrypoints.cli.findings import tell_findings

if TYPE_CHECKING:
    from greenstream.domain.ledger import FileResult
    from greenstream.domain.reports.loading import IngestedFile
    from greenstream.wiring import Place

ENDINGS = (".csv", ".csv.gz", ".csv.zst")

Files = Annotated[
    list[str],
    typer.Argument(metavar="FILE...", help="CSV files (.csv, .csv.gz, .csv.zst), or folders: the CSV files in them."),
]
NoWatch = Annotated[
    bool, typer.Option("--no-watch", help="Leave the rules on the meters' history to the next ingest or settle.")
]


def register(app: typer.Typer) -> None:
    command(
        app, "ingest", example="greenstream ingest readings/*.csv\ngreenstream ingest --json day.csv.gz | jq .outcome"
    )(ingest)


def ingest(console: Console, files: Files, no_watch: NoWatch = False, json: Json = False) -> None:
    """Land files and process them now; each ends as loaded, duplicate, rejected or failed.

    A bad file never blocks the others. With --json, one object a line and file, as soon as it is done; a file that
    isn't there can't land and gets none. Then the rules on the meters' history look at what came in, once; what they
    newly find is said on stderr. Exit 0 if every file is loaded or a duplicate, and was looked at, else 1.
    """
    names = list(_expanded(console, files))
    run = Run(console, open_place(console), json=json)
    try:
        run.all(names)
        run.watch(leave=no_watch)
    finally:
        run.report()
    if run.troubles:
        stop(ExitCode.TROUBLE)


@dataclass(frozen=True, kw_only=True)
class Done:
    """A file, as the user called it, and how it ended."""

    name: str
    result: "FileResult"
    seconds: float

    def answer(self) -> "IngestedFile":
        from greenstream.domain.reports.loading import IngestedFile

        ledger = self.result.ledger
        return IngestedFile(
            file=self.name,
            outcome=self.result.outcome,
            reason=self.result.reason,
            rows=ledger.rows,
            stored=ledger.stored,
            duplicate=ledger.duplicate,
            rejected=ledger.rejected,
        )

    @property
    def is_good(self) -> bool:
        return self.result.outcome.value in ("loaded", "duplicate")

    def trouble(self) -> str:
        """Which file did not come in, and why, in a line."""
        detail = (self.result.detail or str(self.result.reason)).strip().rpartition("\n")[2]
        return f"{self.name} is {self.result.outcome}: {detail}"


class Run:
    """One call of `ingest`."""

    def __init__(self, console: Console, place: "Place", *, json: bool) -> None:
        self._console = console
        self._place = place
        self._json = json
        self._done: list[Done] = []
        self._began = time.perf_counter()
        self._history_seconds = 0.0
        self._found: Mapping[str, int] = {}
        self.troubles = 0

    def all(self, names: list[str]) -> None:
        """Land and process each; what makes all of them fail is raised."""
        self._place.attempts.run(self._place.set_up)  # before anything lands
        sizes = [_size(name) for name in names]
        with self._console.progress("ingesting", sum(sizes), unit="bytes") as progress:
            for number, (name, size) in enumerate(zip(names, sizes, strict=True), start=1):
                progress.describe(f"file {number} of {len(names)}")
                self._one(name)
                progress.advance(size)

    def report(self) -> None:
        """The ledger of all files, as a table, unless each was told as JSON; then what is new in the history."""
        if self._done and not self._json:
            self._show_ledger()
        tell_findings(self._console, self._found)

    def _show_ledger(self) -> None:
        columns = ("file", "outcome", "reason", "rows", "stored", "duplicate", "rejected", "rows/s")
        self._console.table(columns, [_table_row(done) for done in self._done])
        self._console.write(self._total())
        self._hint()

    def watch(self, *, leave: bool) -> None:
        """Look at the history of the meters of the files that came in. They stay loaded, whatever happens here."""
        from greenstream.domain.errors import GreenStreamError

        if not any(done.is_good for done in self._done):
            return
        if leave:
            self._console.say("the meters' history was left alone: the next ingest, or greenstream settle, looks at it")
            return
        began = time.perf_counter()
        try:
            with self._console.progress("looking at the meters' history", unit="meters") as progress:
                self._found = self._place.history.detect(progress.reach).found
        except GreenStreamError as error:
            self._trouble(
                f"{error.code}: {error}; the files are loaded, but the meters' history wasn't looked at: the next "
                "ingest, or greenstream settle, does it"
            )
        finally:
            self._history_seconds = time.perf_counter() - began

    def _one(self, name: str) -> None:
        from greenstream.application.loading.ingest import NotLanded

        began = time.perf_counter()
        ended = self._place.loading.ingest(Path(name))
        if isinstance(ended, NotLanded):
            self._trouble(ended.why)
        else:
            self._note(Done(name=name, result=ended, seconds=time.perf_counter() - began))

    def _note(self, done: Done) -> None:
        self._done.append(done)
        if self._json:
            self._console.emit(done.answer())
        if not done.is_good:
            self._trouble(done.trouble())

    def _trouble(self, text: str) -> None:
        self.troubles += 1
        self._console.warn(text)

    def _total(self) -> str:
        ledgers = [done.result.ledger for done in self._done]
        rows, seconds = sum(ledger.rows for ledger in ledgers), time.perf_counter() - self._began
        fates = " + ".join(
            f"{sum(getattr(ledger, fate) for ledger in ledgers):,} {fate}"
            for fate in ("stored", "duplicate", "rejected")
        )
        files = f"{len(self._done):,} file{'s' if len(self._done) > 1 else ''}"
        history = f"; {self._history_seconds:.1f} s of it the meters' history" if self._history_seconds >= 1 else ""
        return f"\n{files}: {rows:,} rows = {fates}, in {seconds:.1f} s ({rows / seconds:,.0f} rows/s{history})"

    def _hint(self) -> None:
        if any(done.result.ledger.rejected for done in self._done):
            self._console.say("the rejected rows are kept: greenstream quarantine list")
        if not all(done.is_good for done in self._done):
            self._console.say(
                "files that did not come in: greenstream query "
                "\"SELECT path, outcome, reason FROM source_files WHERE outcome IN ('rejected', 'failed')\""
            )


def _expanded(console: Console, names: list[str]) -> Iterator[str]:
    """The files, with a folder replaced by the CSV files in it, by name."""
    for name in names:
        if not name:
            raise UsageError("a file name is empty")
        if not Path(name).is_dir():
            yield name
            continue
        entries = sorted(Path(name).iterdir())
        found = [each for each in entries if each.is_file() and each.name.lower().endswith(ENDINGS)]
        console.say(
            f"{name} is a folder: {len(found)} CSV files in it, {len(entries) - len(found)} other entries left out"
        )
        if not found:
            raise UsageError(f"{name} holds no CSV file")
        yield from map(str, found)


def _table_row(done: Done) -> tuple[object, ...]:
    ledger = done.result.ledger
    per_second = round(ledger.rows / done.seconds) if ledger.rows else None
    reason = done.result.reason.value if done.result.reason else None
    outcome = done.result.outcome.value
    return done.name, outcome, reason, ledger.rows, ledger.stored, ledger.duplicate, ledger.rejected, per_second


def _size(name: str) -> int:
    try:
        return Path(name).stat().st_size
    except OSError:
        return 0
