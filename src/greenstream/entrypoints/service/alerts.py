"""The part that looks each minute at what is wrong, and tells people."""

import threading

from greenstream.application.loading.outages import Outages
from greenstream.entrypoints.service.polling import MINUTE_SECONDS, Log
from greenstream.wiring import Place


class AlertRounds:
    """Checks the conditions of alerts and sends what is due; in a thread of its own, for a channel can be slow."""

    name = "alerts"

    def __init__(self, stop: threading.Event, log: Log, outages: Outages) -> None:
        self._stop = stop
        self._log = log
        self._outages = outages

    def run(self, place: Place) -> None:
        _ = place.database  # at this program's version
        while not self._stop.is_set():
            if place.alerts.check(self._outages.lasting()) is not None:
                self._outages.told(place.clock())
            for sent in place.alerts.send():
                self._log.info("alerts sent", channel=sent.channel, messages=sent.messages, trouble=sent.trouble)
            self._stop.wait(MINUTE_SECONDS)
