"""What a service tells Prometheus: what this process did, and how the database stands at the time of a scrape."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from greenstream.domain.errors import GreenStreamError
from greenstream.domain.ledger import FileResult, Outcome
from greenstream.domain.reports.gauges import GAUGES, Gauge, GaugeValue
from greenstream.domain.routing import Route

PREFIX = "greenstream_"
DATABASE_UP = f"{PREFIX}database_up"
SCRAPE_SECONDS = 1.5
SECONDS = (0.25, 0.5, 1, 2, 3, 5, 10, 15, 20, 30, 60)
FATES = ("stored", "duplicate", "rejected")


class Metrics:
    """What the workers of this process did since it started."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, meaning: str, *labels: str) -> Counter:
            return Counter(PREFIX + name, meaning, labels, registry=registry)

        def histogram(name: str, meaning: str, *labels: str) -> Histogram:
            return Histogram(PREFIX + name, meaning, labels, registry=registry, buckets=SECONDS)

        self.registry = registry
        self._files = counter("files", "Files that ended, by outcome", "outcome", "route")
        self._rows = counter("rows", "Rows of loaded files, by fate", "fate")
        self._retries = counter("retries", "Times a file was put off to be tried again", "route")
        self._dead_letters = counter("dead_letters", "Files that became dead letters")
        self._dropped = counter("log_lines_dropped", "Lines of the log that stderr didn't take, as on a full disk")
        self._latency = histogram("landing_to_commit_seconds", "From landing to commit, of loaded files")
        self._processing = histogram("processing_seconds", "A worker's turn that ended a file", "route")
        self._show_zeros()

    def ended(self, result: FileResult, route: Route) -> None:
        """Count a file and its rows by what became of them."""
        self._files.labels(result.outcome.value, route.value).inc()
        for fate in FATES:
            self._rows.labels(fate).inc(getattr(result.ledger, fate))
        if result.outcome is Outcome.FAILED:
            self._dead_letters.inc()

    def timed(self, result: FileResult, route: Route, *, seconds: float, since_landing: float) -> None:
        self._processing.labels(route.value).observe(seconds)
        if result.outcome is Outcome.LOADED:
            self._latency.observe(max(since_landing, 0))

    def put_off(self, route: Route) -> None:
        self._retries.labels(route.value).inc()

    def log_dropped(self) -> None:
        self._dropped.inc()

    def _show_zeros(self) -> None:
        """A series that appears with its first event has no rate for it."""
        for route in Route:
            self._retries.labels(route.value)
            self._processing.labels(route.value)
            for outcome in Outcome:
                self._files.labels(outcome.value, route.value)
        for fate in FATES:
            self._rows.labels(fate)


class DatabaseGauges(Collector):
    """Asks the database at each scrape, and does without it when it doesn't answer in time."""

    def __init__(self, read: Callable[[], Sequence[GaugeValue]], *, patience: float = SCRAPE_SECONDS) -> None:
        self._read = read
        self._patience = patience
        self._lock = threading.Lock()
        self._asked: Future[Sequence[GaugeValue]] | None = None

    def collect(self) -> Iterator[Metric]:
        values = self._values()
        yield GaugeMetricFamily(DATABASE_UP, "Whether the database answered this scrape", value=values is not None)
        if values is not None:
            for gauge in GAUGES:
                yield _family(gauge, (value for value in values if value.gauge == gauge.name))

    def _values(self) -> Sequence[GaugeValue] | None:
        try:
            return self._question().result(self._patience)
        except (TimeoutError, GreenStreamError):
            return None

    def _question(self) -> Future[Sequence[GaugeValue]]:
        """One at a time, so that a database that hangs is not hung up on by each scrape anew."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = Future()
                threading.Thread(target=_answer, args=(self._asked, self._read), daemon=True).start()
            return self._asked


def _family(gauge: Gauge, values: Iterable[GaugeValue]) -> Metric:
    kind = CounterMetricFamily if gauge.counts else GaugeMetricFamily
    family = kind(PREFIX + gauge.name, gauge.meaning, labels=gauge.labels)
    for value in values:
        family.add_metric(value.labels, value.value)
    return family


@contextmanager
def served(registry: CollectorRegistry, *, host: str, port: int, log: structlog.stdlib.BoundLogger) -> Iterator[None]:
    """`/metrics` while the block runs; without it, after a warning, where the address can't be had. Port 0: off."""
    if not port:
        yield
        return
    try:
        server, thread = start_http_server(port, addr=host, registry=registry)
    except OSError as error:
        log.warning("no metrics", address=f"{host}:{port}", error=str(error), hint="set GREENSTREAM_METRICS_PORT")
        yield
        return
    log.info("metrics", url=f"http://{host}:{port}/metrics")
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def described() -> Iterator[tuple[str, str, Sequence[str], str]]:
    """Name as Prometheus shows it, type, labels and meaning of each metric."""
    registry = CollectorRegistry()
    Metrics(registry)
    for metric in registry.collect():
        labels = [label for label in metric.samples[0].labels if label != "le"]
        yield _shown(metric.name, metric.type), metric.type, labels, metric.documentation
    yield DATABASE_UP, "gauge", (), "Whether the database answered this scrape; without it the rows below are absent"
    for gauge in GAUGES:
        kind = "counter" if gauge.counts else "gauge"
        yield _shown(PREFIX + gauge.name, kind), kind, gauge.labels, gauge.meaning


def _shown(name: str, kind: str) -> str:
    return f"{name}_total" if kind == "counter" else name


def _answer(asked: "Future[Sequence[GaugeValue]]", read: Callable[[], Sequence[GaugeValue]]) -> None:
    try:
        asked.set_result(read())
    except Exception as error:
        asked.set_exception(error)
