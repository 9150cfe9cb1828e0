"""The part that looks each minute at what is wrong, and tells people."""

import threading

from greenstream.application.loading.outages import Outages
from greenstream.entrypoints.service.parts import MINUTE_SECONDS, Log
from greenstream.wiring import System, now


class AlertPart:
    """Checks the conditions of alerts and sends what is due; in a thread of its own, for a channel can be slow."""

    name = "alerts"

    def __init__(self, stop: threading.Event, log: Log, outages: Outages) -> None:
        self._stop = stop
        self._log = log
        self._outages = outages

    def run(self, system: System) -> None:
        _ = system.database  # at this program's version
        while not self._stop.is_set():
            if system.check_alerts(self._outages.lasting()) is not None:
                self._outages.told(now())
            for sent in system.send_alerts():
                self._log.info("alerts sent", channel=sent.channel, messages=sent.messages, trouble=sent.trouble)
            self._stop.wait(MINUTE_SECONDS)
