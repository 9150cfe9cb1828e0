"""`alerts`: what is wrong, that a person has seen it, and whether it can be sent."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from greenstream.entrypoints.cli.console import Console, ExitCode, Json, UsageError, command, open_place, stop

if TYPE_CHECKING:
    from greenstream.domain.alerts.values import Alert

alerts = typer.Typer(
    help="What is wrong: list alerts, acknowledge them, test how they are sent.\n\nWithout a command it lists them.",
    epilog="\b\nExample:\n  greenstream alerts\n  greenstream alerts ack --code NO_FILE",
    rich_markup_mode=None,
)

Closed = Annotated[bool, typer.Option("--all", help="Also those that are acknowledged or resolved.")]
IDS = typer.Argument(metavar="[ID]…", show_default=False, help="Which, as `alerts list` numbers them.")


def register(app: typer.Typer) -> None:
    app.add_typer(alerts, name="alerts")


@alerts.callback(invoke_without_command=True)
def overview(ctx: typer.Context, closed: Closed = False, json: Json = False) -> None:
    if ctx.invoked_subcommand is None and isinstance(ctx.command, TyperGroup):
        options = {"--all": closed, "--json": json}
        listing = ctx.command.commands["list"]
        with listing.make_context("list", [name for name, wanted in options.items() if wanted], parent=ctx) as inner:
            listing.invoke(inner)


@command(alerts, "list", example="greenstream alerts list\ngreenstream alerts list --all --json | jq '.[].code'")
def list_(console: Console, closed: Closed = False, json: Json = False) -> None:
    """List the open alerts, the latest first: neither acknowledged nor resolved."""
    found = open_place(console).reports.alerts(closed=closed)
    if json:
        console.emit(found)
    elif found:
        console.table(_COLUMNS[: None if closed else -1], [_row(alert, closed) for alert in found])
    else:
        console.say("no alert" if closed else "no open alert")


@command(alerts, "ack", example="greenstream alerts ack 17 18\ngreenstream alerts ack --code DEAD_METER")
def acknowledge(
    console: Console,
    ids: Annotated[list[int] | None, IDS] = None,
    code: Annotated[str | None, typer.Option(metavar="CODE", help="All open ones of a code.")] = None,
    every: Annotated[bool, typer.Option("--all", help="All open ones.")] = False,
    json: Json = False,
) -> None:
    """Acknowledge alerts: they are closed and no longer sent. The next occurrence is a new alert.

    Where the same trouble goes on, as with NO_FILE, it stays quiet until it has ended and begins anew.
    """
    if [bool(ids), code is not None, every].count(True) != 1:
        raise UsageError("name the alerts: by IDs, or with --code CODE, or --all")
    from greenstream.domain.reports.place import Acknowledged

    done = open_place(console).alerts.acknowledge(ids=ids, code=code)
    if json:
        console.emit(Acknowledged(acknowledged=sorted(done)))
    else:
        console.write(f"{len(done)} acknowledged")
    if unknown := sorted(set(ids or ()) - done):
        console.warn(f"no open alert has the ID {', '.join(map(str, unknown))}; see `greenstream alerts list`")
        stop(ExitCode.TROUBLE)


@command(alerts, "test", example="GREENSTREAM_ALERT_URLS=json://localhost:8080/hook greenstream alerts test")
def send_test(console: Console, json: Json = False) -> None:
    """Send a test message by each of GREENSTREAM_ALERT_URLS; exit 1 if one doesn't take it."""
    from greenstream.application.alerts import try_channels
    from greenstream.domain.reports.place import ChannelTest

    place = open_place(console)
    if not place.alerts.channels:
        raise UsageError("GREENSTREAM_ALERT_URLS is not set; it takes URLs such as mailtos://… or slack://…")
    results = try_channels(place.alerts.channels)
    for channel, trouble in results.items():
        if json:
            console.emit(ChannelTest(channel=channel, sent=trouble is None, trouble=trouble))
        else:
            console.write(f"{channel}: {trouble or 'sent'}")
    if any(results.values()):
        console.warn("a channel didn't take the message; check its URL in GREENSTREAM_ALERT_URLS")
        stop(ExitCode.TROUBLE)


_COLUMNS = ("id", "severity", "code", "subject", "count", "first", "last", "message", "state")


def _row(alert: "Alert", closed: bool) -> Sequence[object]:
    times = [f"{time:%Y-%m-%d %H:%M}" for time in (alert.first_at, alert.last_at)]
    shown = [alert.alert_id, alert.severity, alert.code, alert.subject, alert.count, *times, alert.message]
    return [*shown, _state(alert)] if closed else shown


def _state(alert: "Alert") -> str:
    if alert.acknowledged_at:
        return "acknowledged"
    return "resolved" if alert.resolved_at else "open"
