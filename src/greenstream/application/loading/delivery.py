"""What is stored of a delivery, judged anew from its raw file."""

from datetime import datetime

import polars as pl

from greenstream.application.loading.raw_file import Absent, raw_file
from greenstream.domain.ledger import Delivery
from greenstream.domain.readings.delivery import JudgedDelivery, judge_delivery
from greenstream.domain.site import Site
from greenstream.ports.landing import Landing


def judge_again(
    delivery: Delivery, landing: Landing, site: Site, *, now: datetime, erased: pl.DataFrame
) -> JudgedDelivery | Absent:
    """Read the bytes of a delivery and judge them as they were when it was loaded; `now` is that time.

    Raises:
        FileRejected: the present settings don't allow what was loaded.
        StorageUnavailable: the store can't tell, or the file was changed at this moment.
    """
    raw = raw_file(delivery, landing, site.limits)
    if isinstance(raw, Absent):
        return raw
    return judge_delivery(raw.text(site.limits), site, received_at=delivery.received_at, now=now, erased=erased)
