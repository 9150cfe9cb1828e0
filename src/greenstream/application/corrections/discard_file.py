"""Delete a file that nobody can read, so that what may be in it of a customer is gone."""

import re
from dataclasses import dataclass

from greenstream.domain.errors import NotFound
from greenstream.domain.lake.lifetimes import Deletion, Layer
from greenstream.domain.landing import Clock
from greenstream.domain.ledger import Outcome
from greenstream.ports.lake import Archives
from greenstream.ports.landing import Landing

_KEY = re.compile(r"(raw-data|quarantine)/\d{4}-\d{2}-\d{2}/(?!\.{1,2}$)[^/]+", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Discarding:
    """What discarding works with; a dry run only says what would go."""

    archives: Archives
    landing: Landing
    clock: Clock
    dry_run: bool = False


def discard_file(path: str, reason: str | None, context: Discarding) -> Deletion:
    """Delete the raw file of a rejected delivery, or a copy in the quarantine, for good; noted in `deletions`.

    Raises:
        NotFound: there is no such file, or it is one whose rows were stored, or are still to be.
    """
    found = _KEY.fullmatch(path)
    if found is None:
        raise NotFound(f"{path!r} is no key of a file in raw-data/ or quarantine/, as `greenstream erase` names them")
    source_file_id = _rejected(path, context) if found[1] == "raw-data" else None
    file = context.landing.head(path)
    layer = Layer.QUARANTINE if source_file_id is None else Layer.RAW
    deletion = Deletion(layer=layer, subject=path, amount=file.size_bytes, reason=f"discarded: {reason or 'no reason'}")
    if context.dry_run:
        return deletion
    if not context.landing.delete(file):
        raise NotFound(f"{path} changed at this moment: look at it again")
    if source_file_id is not None:
        context.archives.forget_landed([source_file_id], context.clock())
    context.archives.note([deletion], context.clock())
    return deletion


def _rejected(path: str, context: Discarding) -> int:
    newest = context.archives.newest_delivery(path)
    if newest is None:
        raise NotFound(f"{path} was not processed yet: greenstream ingest it first")
    source_file_id, outcome = newest
    if outcome is not Outcome.REJECTED:
        raise NotFound(f"{path} is {outcome}, not rejected, so it stays: restore it from a backup if it is damaged")
    return source_file_id
