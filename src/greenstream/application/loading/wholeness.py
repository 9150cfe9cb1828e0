"""When a landed file counts as whole: a writer may still be at it."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from greenstream.domain.landing import LandedFile


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a file must have stayed as it is before it counts as whole: a writer may still be at it."""

    ends_with_line: timedelta = timedelta(milliseconds=400)
    ends_within_line: timedelta = timedelta(seconds=5)
    empty: timedelta = timedelta(seconds=60)


@dataclass
class Stillness:
    """How long files have stayed as they are, whatever the clocks say.

    The time of a file's last change, which no sender can choose, is normally in the past. Where it isn't (the clock of
    a file server, or ours was set back), the file has been still since it was first seen as it is.
    """

    _since: dict[str, tuple[LandedFile, datetime]] = field(default_factory=dict)

    def of(self, file: LandedFile, now: datetime) -> timedelta:
        if file.received_at <= now:
            self._since.pop(file.path, None)
            return now - file.received_at
        seen, since = self._since.get(file.path, (file, now))
        if seen.version != file.version or since > now:
            since = now
        self._since[file.path] = file, since
        return now - since
