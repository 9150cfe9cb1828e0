"""What is judged anew, replaced or erased."""

from collections.abc import Callable, Iterator
from datetime import date

from greenstream.application.corrections.context import CorrectionContext
from greenstream.application.corrections.discard_file import Discarding, discard_file
from greenstream.application.corrections.erase import Erasing, Unsearchable, erase, erase_again
from greenstream.application.corrections.rejudge import RejudgedDay, rejudge_days
from greenstream.application.corrections.replay import ReplayedFile, export_rows, replay_fixes, replay_rows
from greenstream.application.corrections.reprocess import ReprocessedFile, reprocess
from greenstream.domain.corrections.fixes import read_fixes, to_csv
from greenstream.domain.corrections.values import RowChoice
from greenstream.domain.lake.lifetimes import Deletion
from greenstream.domain.site import day_start
from greenstream.wiring.place import Place


class Corrections:
    """Replay, reprocessing, rejudging, erasure."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def replay_rows(self, choice: RowChoice, *, dry_run: bool = False) -> Iterator[ReplayedFile]:
        """Judge rejected rows anew, a file at a time."""
        return replay_rows(choice, self._context(dry_run=dry_run))

    def replay_fixes(self, name: str, content: bytes, *, dry_run: bool = False) -> Iterator[ReplayedFile]:
        """Replay the lines of an export that was fixed by hand. Raises InvalidFixes."""
        return replay_fixes(read_fixes(name, content), self._context(dry_run=dry_run))

    def replay_rule(
        self, rule_id: str, first: date | None, behind: date | None, *, dry_run: bool = False
    ) -> Iterator[ReplayedFile]:
        """Judge the rows anew that a rule rejected on the local days from `first` to before `behind`."""
        timezone = self._place.site.timezone
        since, until = (day_start(day, timezone) if day else None for day in (first, behind))
        return self.replay_rows(RowChoice(rule_id=rule_id, since=since, until=until), dry_run=dry_run)

    def rejudge_days(
        self, flags: int, first: date | None, last: date | None, *, dry_run: bool = False
    ) -> Iterator[RejudgedDay]:
        """Judge stored readings with any of these flags anew (0: all), a local day at a time."""
        return rejudge_days(flags, first, last, self._context(dry_run=dry_run))

    def reprocess(self, first: date, last: date, *, dry_run: bool = False) -> Iterator[ReprocessedFile]:
        """Process loaded files of some local days again, by this version."""
        return reprocess(first, last, self._context(dry_run=dry_run))

    def export_rows(self, choice: RowChoice) -> tuple[bytes, int]:
        """Rejected rows as CSV for a person to fix, and how many."""
        rows = list(export_rows(choice, self._context(dry_run=True)))
        return to_csv(rows), sum(part.height for part in rows)

    def discard_rows(self, choice: RowChoice, reason: str | None) -> dict[str, int]:
        """Give rejected rows up; by file how many were open until now."""
        return self._place.database.replays().discard_rows(choice, reason, self._place.clock())

    def discard_file(self, path: str, reason: str | None, *, dry_run: bool) -> Deletion:
        """Delete a file that can't be read: of a rejected delivery, or its copy. Raises NotFound."""
        place = self._place
        discarding = Discarding(
            archives=place.database.archives(), landing=place.store, clock=place.clock, dry_run=dry_run
        )
        return discard_file(path, reason, discarding)

    def erase(
        self, meter_id: str, reason: str, *, on_file: Callable[[str], None], on_day: Callable[[date], None]
    ) -> Iterator[Deletion | Unsearchable]:
        """Erase a meter everywhere. Raises NotFound."""
        return erase(meter_id, reason, self._erasing(on_file, on_day))

    def erase_again(self) -> Iterator[Deletion]:
        """Erase from raw files what was erased before and came again."""
        return erase_again(self._erasing(lambda _path: None, lambda _day: None))

    def _erasing(self, on_file: Callable[[str], None], on_day: Callable[[date], None]) -> Erasing:
        place = self._place
        return Erasing(
            exclusion=place.exclusion,
            erasures=place.database.erasures(),
            archives=place.database.archives(),
            lake=place.objects,
            landing=place.store,
            site=place.site,
            clock=place.clock,
            on_file=on_file,
            on_day=on_day,
        )

    def _context(self, *, dry_run: bool) -> CorrectionContext:
        place = self._place
        return CorrectionContext(
            landing=place.store,
            replays=place.database.replays(),
            lake=place.objects,
            site=place.site,
            clock=place.clock,
            dry_run=dry_run,
        )
