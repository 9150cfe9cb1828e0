"""The command `greenstream`: its options for all commands, and how it ends."""

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from greenstream import __version__
from greenstream.domain.text import printable_lines
from greenstream.entrypoints.cli.console import Console, Debug, ExitCode, Quiet, UsageError, silence_stdout

_NAMES = (
    *("ingest", "settle", "archive", "nightly", "verify", "meters", "query", "status", "alerts", "quarantine"),
    *("replay", "reprocess", "dead-letters", "erase", "backup", "restore", "db", "down", "simulate", "evaluate"),
    *("demo", "doctor", "up"),
)
MODULES = {name: name.replace("-", "_") for name in _NAMES} | dict.fromkeys(("watch", "worker"), "up")
"""By its name, the module of a command, in the order of the help."""

FLAGS = ("-q", "--quiet", "--debug")
"""What may stand before a command and still lets it be the only one that matters, unlike --help."""


def application(command: str | None = None) -> typer.Typer:
    """All commands, or that one alone, for to import and build the others takes longer than many of them do."""
    app = typer.Typer(
        name="greenstream",
        help="Smart-meter files become readings a utility can trust: checked, graded, accounted for.",
        epilog="\b\nExample:\n  greenstream ingest readings/*.csv\n  greenstream status\n\b\n"
        "Exit: 0 done, 1 the data or the system had trouble, 2 wrong usage.",
        rich_markup_mode=None,  # plain: it takes 1 ms, with rich 120
        no_args_is_help=True,
        context_settings={"help_option_names": ["--help", "-h"]},
    )
    app.callback()(everywhere)
    for module in [MODULES[command]] if command in MODULES else dict.fromkeys(MODULES.values()):
        import_module(f"greenstream.entrypoints.cli.{module}").register(app)
    return app


def _say_version(wanted: bool) -> None:
    if wanted:
        print(f"greenstream {__version__}")
        raise typer.Exit


def everywhere(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say the version.")
    ] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    ctx.obj = {"quiet": quiet, "debug": debug or os.environ.get("GREENSTREAM_DEBUG", "") not in ("", "0")}


def main() -> None:
    """The entry point of the script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. Nothing is raised."""
    _use_utf8()
    named = next((argument for argument in arguments if argument not in FLAGS), None)
    try:
        ended = typer.main.get_command(application(named)).main(
            list(arguments), prog_name="greenstream", standalone_mode=False
        )
        sys.stdout.flush()
    except (typer.TyperException, UsageError) as error:
        _say_usage(error)
        return ExitCode.USAGE
    except BrokenPipeError:
        silence_stdout()
        return ExitCode.READER_GONE
    return ended if isinstance(ended, int) else ExitCode.DONE


def _say_usage(error: Exception) -> None:
    message = error.format_message() if isinstance(error, typer.TyperException) else str(error)
    context = getattr(error, "ctx", None)
    if message.startswith("Usage:"):  # called without a command: the message is the help
        print(printable_lines(message), file=sys.stderr)
    else:
        Console().warn(f"{message} (see {context.command_path if context else 'greenstream'} --help)")


def _use_utf8() -> None:
    """Whatever the locale: JSON is UTF-8, and a file name that isn't text is shown with its odd bytes escaped."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
