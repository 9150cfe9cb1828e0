"""The page of commands, from the command line itself."""

from collections.abc import Iterator

import typer
from typer.core import TyperGroup

from greenstream.entrypoints.cli.app import application

WIDTH = 100


def sections() -> str:
    """A section a command, with its help as the command prints it."""
    root = typer.Context(typer.main.get_command(application()), info_name="greenstream", terminal_width=WIDTH)
    return "\n\n".join(_sections(root))


def _sections(context: typer.Context) -> Iterator[str]:
    command = context.command
    yield f"### {context.command_path}\n\n```text\n{command.get_help(context).strip()}\n```"
    if isinstance(command, TyperGroup):
        for name, sub_command in sorted(command.commands.items()):
            if not sub_command.hidden:
                yield from _sections(typer.Context(sub_command, info_name=name, parent=context))
