"""What every command shares: where words, data and errors go, and the exit code.

Data goes to stdout. Progress and hints go to stderr and are silenced by ``-q``; troubles go to stderr always.
"""

import codecs
import functools
import inspect
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from enum import IntEnum
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from greenstream.domain.text import plain_json, printable, printable_lines
from greenstream.entrypoints.cli.progress import Progress
from greenstream.entrypoints.cli.tables import table_lines

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from greenstream.wiring import Place

Json = Annotated[bool, typer.Option("--json", help="Report as JSON on stdout.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no hints; data and errors stay.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error (or GREENSTREAM_DEBUG=1).")]


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    TROUBLE = 1  # the data or the system had trouble; stderr says which, in one line
    USAGE = 2
    INTERRUPTED = 130  # Ctrl-C
    READER_GONE = 141  # the reader of stdout closed it, as `head` does


class UsageError(Exception):
    """The command was called wrongly: its message is shown, the exit code is 2."""


class Console:
    """The two streams of a command, and how it may use them."""

    def __init__(self, *, quiet: bool = False, debug: bool = False) -> None:
        self.quiet = quiet
        self.debug = debug

    def say(self, text: str) -> None:
        """A hint or a step, on stderr, unless quiet."""
        if not self.quiet:
            _say(printable_lines(text))

    def warn(self, text: str) -> None:
        """A trouble in one line on stderr, even when quiet."""
        _say(f"{_bold_red('error:')} {printable(' '.join(text.split()))}")

    def write(self, text: str, *, lead: str = "") -> None:
        """A line of data on stdout; only `lead`, which is ours, may have a style."""
        print(f"{lead}{printable_lines(text)}")

    def entry(self, name: str, value: object, width: int) -> None:
        """A name and its value in a line on stdout."""
        self.write(f"{name:<{width}} {printable(str(value))}")

    def entries(self, answer: Any, width: int, *, but: Sequence[str] = ()) -> None:
        """Each field of an answer in a line on stdout, aside from those that are nothing."""
        for field in fields(answer):
            value = getattr(answer, field.name)
            if value is not None and field.name not in but:
                self.entry(field.name, value, width)

    def emit(self, answer: "DataclassInstance | Sequence[DataclassInstance]") -> None:
        """An answer as JSON in one line on stdout, at once."""
        from greenstream.application.reports.json import to_json

        print(plain_json(to_json(answer)), flush=True)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, right: Sequence[str] = ()) -> None:
        """A table on stdout, as wide as its content; numbers, and the columns named in `right`, are right-aligned."""
        for line in table_lines(columns, list(rows), right=right, bold=is_colourful(sys.stdout)):
            print(line)

    @contextmanager
    def progress(self, description: str, total: float | None = None, *, unit: str = "") -> Iterator[Progress]:
        """A bar on stderr while the block runs, only on a terminal; `total` None: how long it takes isn't known.

        With unit "bytes" amounts are shown as sizes.
        """
        if self.quiet or not sys.stderr.isatty():
            yield Progress()
            return
        from greenstream.entrypoints.cli.bars import bar

        with bar(description, total, unit) as progress:
            yield progress

    def fail(self, error: Exception) -> ExitCode:
        """Say an error in one line, with its code; the exit code that belongs to it."""
        from greenstream.domain.errors import GreenStreamError

        if self.debug:
            print(printable_lines("".join(traceback.format_exception(error))), end="", file=sys.stderr)
        if isinstance(error, GreenStreamError):
            self.warn(f"{error.code}: {error}")
        elif isinstance(error, OSError):
            silence_stdout()  # it may be what is full
            self.warn(f"{type(error).__name__}: {error}")
        else:
            self.warn(f"a bug of GreenStream: {type(error).__name__}: {error}; {_kept_traceback(error)}")
        return ExitCode.TROUBLE


def open_place(console: Console, say: Callable[[str], None] | None = None) -> "Place":
    """The place of the settings, with a person's patience; nothing of it is started yet. Raises SettingsError.

    `say` hears of slow steps in place of stderr; a service waits by itself, so it is not patient.
    """
    from greenstream.settings import load_settings
    from greenstream.wiring import Place

    return Place(load_settings(), say or console.say, is_patient=say is None)


def is_colourful(stream: Any) -> bool:
    """Whether colours are welcome: on a terminal, and NO_COLOR isn't set."""
    return bool(stream.isatty()) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def stop(code: ExitCode) -> NoReturn:
    """End the command with this code, when everything has been said."""
    raise typer.Exit(code)


def command(app: typer.Typer, name: str, *, example: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register ``def run(console: Console, …)`` as a command with ``-q``, ``--debug`` and an example in its help.

    The other parameters are typer's. The errors it raises end in one line on stderr and the right exit code.
    """

    def register(run: Callable[..., None]) -> Callable[..., None]:
        wrapped = _with_console(run)
        lines = "\n".join(f"  {line}" for line in example.strip().splitlines())
        app.command(name, epilog=f"\b\nExample:\n{lines}")(wrapped)
        return run

    return register


def _with_console(run: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(run)
    def wrapper(ctx: typer.Context, quiet: bool, debug: bool, **arguments: Any) -> None:
        everywhere: Mapping[str, bool] = ctx.obj
        console = Console(quiet=quiet or everywhere["quiet"], debug=debug or everywhere["debug"])
        with _translated(console):
            run(console, **arguments)
            sys.stdout.flush()

    del wrapper.__wrapped__  # type hints would be looked up there
    _, *own = inspect.signature(run, eval_str=True).parameters.values()
    keyword = inspect.Parameter.KEYWORD_ONLY
    shared = [
        inspect.Parameter("quiet", keyword, annotation=Quiet, default=False),
        inspect.Parameter("debug", keyword, annotation=Debug, default=False),
        inspect.Parameter("ctx", keyword, annotation=typer.Context),
    ]
    parameters = [each.replace(kind=keyword) for each in own] + shared
    wrapper.__dict__["__signature__"] = inspect.Signature(parameters)
    wrapper.__annotations__ = {each.name: each.annotation for each in parameters}
    return wrapper


@contextmanager
def _translated(console: Console) -> Iterator[None]:
    """End the process as `ExitCode` says, whatever is raised."""
    try:
        yield
    except (typer.Exit, typer.TyperException, UsageError):
        raise
    except BrokenPipeError:
        silence_stdout()
        stop(ExitCode.READER_GONE)
    except KeyboardInterrupt:
        console.warn("interrupted")
        stop(ExitCode.INTERRUPTED)
    except Exception as error:
        stop(console.fail(error))


def for_stdout(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Text in UTF-8 for machines, as it is; only a terminal gets it without what it could obey."""
    if not sys.stdout.isatty():
        yield from pieces
        return
    decoder = codecs.getincrementaldecoder("utf-8")("backslashreplace")
    for piece in pieces:
        yield printable_lines(decoder.decode(piece)).encode()


def silence_stdout() -> None:
    """Let what is still buffered go nowhere, for Python would complain at exit that nobody reads it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(text: str) -> None:
    """What nobody can read any more, for a disk is full or a pipe closed, ends no work."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)


def _bold_red(text: str) -> str:
    return f"\x1b[1;31m{text}\x1b[0m" if is_colourful(sys.stderr) else text


def _kept_traceback(error: Exception) -> str:
    try:
        with tempfile.NamedTemporaryFile("w", prefix="greenstream-bug-", suffix=".txt", delete=False) as file:
            traceback.print_exception(error, file=file)
    except OSError:
        return "see the traceback with --debug, and report it"
    return f"the traceback is in {file.name}: please report it"
