"""`db url`, `db migrate` and `db grant`: the database itself."""

from typing import Annotated

import typer

from greenstream.entrypoints.cli.console import Console, Json, command, open_place

db = typer.Typer(help="The database: its address, its version.", no_args_is_help=True, rich_markup_mode=None)


def register(app: typer.Typer) -> None:
    app.add_typer(db, name="db")


@command(db, "url", example='psql "$(greenstream db url)"\ngreenstream db url --json')
def url(console: Console, json: Json = False) -> None:
    """Print the address (DSN) of the database, for psql, psycopg and others; starts the embedded one."""
    from greenstream.domain.reports.place import DatabaseUrl

    dsn = open_place(console).dsn
    if json:
        console.emit(DatabaseUrl(url=dsn))
    else:
        console.write(dsn)


@command(db, "migrate", example="greenstream db migrate")
def migrate(console: Console, json: Json = False) -> None:
    """Bring the database to this program's version. Nothing happens where it is that already."""
    from greenstream.domain.reports.place import Migrated

    before, after = open_place(console).migrate()
    if json:
        console.emit(Migrated(from_=before, to=after))
    elif before == after:
        console.write(f"the database is at version {after} already")
    else:
        console.write(f"the database went from {before or 'nothing'} to version {after}")


@command(db, "grant", example="greenstream db grant analyst\ngreenstream db grant analyst --json")
def grant(
    console: Console,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="A role that is there, as CREATE ROLE … LOGIN makes it.")],
    json: Json = False,
) -> None:
    """Let a role read the relations, those of later versions too, and nothing else. It can be repeated.

    `query` connects as such a role where GREENSTREAM_READER_URL names it.
    """
    from greenstream.domain.reports.place import Granted

    granted = open_place(console).grant_reading(role)
    if json:
        console.emit(Granted(role=role, granted=granted))
        return
    for right in granted:
        console.write(right)
    console.say(f"{role} can read the relations")
