"""`down`: stop the embedded PostgreSQL."""

import typer

from greenstream.entrypoints.cli.console import Console, command, open_place


def register(app: typer.Typer) -> None:
    command(app, "down", example="greenstream down")(down)


def down(console: Console) -> None:
    """Stop `up`, and the embedded PostgreSQL. Its data stays, and the next command that needs it starts it again."""
    from greenstream.entrypoints.service.home_lock import stop_running

    place = open_place(console)
    with console.progress("stopping GreenStream"):
        if stop_running(place.settings.home):
            console.say("GreenStream is stopped")
    server = place.server
    if server is None:
        console.say("GREENSTREAM_DATABASE_URL names a PostgreSQL of yours: there is nothing to stop")
        return
    was_up = server.status().pid is not None
    with console.progress("stopping PostgreSQL"):
        server.stop(progress=console.say)
    console.say("PostgreSQL is stopped" if was_up else "PostgreSQL was not running")
