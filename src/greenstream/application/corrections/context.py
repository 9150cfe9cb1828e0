"""What corrections work with."""

from dataclasses import dataclass

from greenstream.domain.landing import Clock
from greenstream.domain.site import Site
from greenstream.ports.corrections import Replays
from greenstream.ports.lake import Lake
from greenstream.ports.landing import Landing


@dataclass(frozen=True, kw_only=True)
class CorrectionContext:
    """A dry run only says what would change."""

    landing: Landing
    replays: Replays
    lake: Lake
    site: Site
    clock: Clock
    dry_run: bool = False
