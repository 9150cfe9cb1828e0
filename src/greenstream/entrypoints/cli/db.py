"""`db url` and `db migrate`: the database itself."""

import typer

from greenstream.entrypoints.cli.console import Console, Json, command, open_system

db = typer.Typer(help="The database: its address, its version.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    app.add_typer(db, name="db")


@command(db, "url", example='psql "$(greenstream db url)"\ngreenstream db url --json')
def url(console: Console, json: Json = False) -> None:
    """Print the address (DSN) of the database, for psql, psycopg and others; starts the embedded one."""
    dsn = open_system(console).dsn
    if json:
        console.emit({"url": dsn})
    else:
        console.write(dsn)


@command(db, "migrate", example="greenstream db migrate")
def migrate(console: Console, json: Json = False) -> None:
    """Bring the database to this program's version. Nothing happens where it is that already."""
    before, after = open_system(console).migrate()
    if json:
        console.emit({"from": before, "to": after})
    elif before == after:
        console.write(f"the database is at version {after} already")
    else:
        console.write(f"the database went from {before or 'nothing'} to version {after}")
