"""`up`, `watch` and `worker`: the processes that run by themselves."""

import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from greenstream.entrypoints.cli.console import Console, command, open_place

if TYPE_CHECKING:
    from greenstream.application.loading.outages import Outages
    from greenstream.entrypoints.service import Part
    from greenstream.entrypoints.service.metrics import Metrics
    from greenstream.entrypoints.service.polling import Log
    from greenstream.wiring import Place

LogJson = Annotated[
    bool, typer.Option("--log-json", help="Write the log as JSON, one object a line, also on a terminal.")
]
Routes = Annotated[list[str] | None, typer.Option("--route", help="realtime or bulk; both unless given.")]


def register(app: typer.Typer) -> None:
    command(app, "up", example="greenstream up")(up)
    command(app, "watch", example="greenstream watch")(watch)
    command(app, "worker", example="greenstream worker --route bulk")(worker)


def up(console: Console, log_json: LogJson = False) -> None:
    """Watch the landing zone, work on what lands, and keep the history of meters, in one process, until Ctrl-C."""
    from greenstream.entrypoints.service.home_lock import only_one

    with only_one(open_place(console).settings.home):
        _serve(console, log_json, intake=True, routes=["realtime", "bulk"])


def watch(console: Console, log_json: LogJson = False) -> None:
    """Only watch the landing zone, and queue what lands there."""
    _serve(console, log_json, intake=True, routes=[])


def worker(console: Console, route: Routes = None, log_json: LogJson = False) -> None:
    """Only work on what is queued; any number of these may run, on several machines, against one database and store."""
    _serve(console, log_json, intake=False, routes=route or ["realtime", "bulk"])


def _serve(console: Console, log_json: bool, *, intake: bool, routes: list[str]) -> None:
    from prometheus_client import CollectorRegistry

    from greenstream.application.loading.outages import Outages
    from greenstream.entrypoints.service import Supervisor
    from greenstream.entrypoints.service.logs import logger
    from greenstream.entrypoints.service.metrics import Metrics

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    metrics, outages = Metrics(CollectorRegistry()), Outages()
    log = logger(json=log_json or not sys.stderr.isatty(), on_drop=metrics.log_dropped)
    reach = _set_up if intake else _wait_for_set_up
    parts = _parts(stop, log, metrics, outages, intake, routes)

    def make_place() -> "Place":
        return open_place(console, lambda text: log.info("database", step=text))

    place = make_place()
    _look_around(place, log, outages, reach)
    log.info("started", intake=intake, routes=routes, landing=str(place.store), timezone=place.settings.timezone)
    with _metrics_served(metrics, place, log) if routes else nullcontext():
        Supervisor(parts, make_place, stop, log, outages, reach=reach).run()
    log.info("stopped")


def _set_up(place: "Place") -> None:
    """Senders have where to drop from now on, also while the database is unreachable."""
    place.store.folder()
    place.set_up()


def _wait_for_set_up(place: "Place") -> None:
    """A worker waits for whoever sets up, or brings the database to this version."""
    _ = place.database


def _look_around(place: "Place", log: "Log", outages: "Outages", reach: "Callable[[Place], object]") -> None:
    """A wrong setting, or a server that can't be had here, is said at once, in one line; all else is waited for."""
    from greenstream.domain.errors import DatabaseRefused, NotSetUp, RetryableError, StorageRefused
    from greenstream.wiring import utc_now

    try:
        reach(place)
    except (RetryableError, StorageRefused, DatabaseRefused, NotSetUp) as error:
        outages.note(error, utc_now())
        log.warning("waiting", part="start", error=f"{error.code}: {error}")
    finally:
        place.close()


def _metrics_served(metrics: "Metrics", place: "Place", log: "Log") -> AbstractContextManager[None]:
    from greenstream.entrypoints.service.metrics import DatabaseGauges, served

    metrics.registry.register(DatabaseGauges(place.reports.gauges))
    return served(metrics.registry, host=place.settings.metrics_host, port=place.settings.metrics_port, log=log)


def _parts(
    stop: threading.Event, log: "Log", metrics: "Metrics", outages: "Outages", intake: bool, routes: list[str]
) -> "list[Part]":
    from greenstream.domain.routing import Route
    from greenstream.entrypoints.cli.console import UsageError
    from greenstream.entrypoints.service.alerts import AlertRounds
    from greenstream.entrypoints.service.detection import Detection
    from greenstream.entrypoints.service.landing_watch import LandingWatch
    from greenstream.entrypoints.service.lost_workers import LostWorkers
    from greenstream.entrypoints.service.night_schedule import NightSchedule
    from greenstream.entrypoints.service.route_worker import RouteWorker

    if unknown := set(routes) - set(Route):
        raise UsageError(f"no route {', '.join(sorted(unknown))}: there are {', '.join(Route)}")
    loaded = threading.Event()
    parts: list[Part] = [RouteWorker(Route(route), loaded, stop, log, metrics) for route in routes]
    if routes:
        parts += [Detection(loaded, stop, log), NightSchedule(stop, log)]
        parts += [LostWorkers(stop, log, metrics), AlertRounds(stop, log, outages)]
    return [LandingWatch(stop, log), *parts] if intake else parts
