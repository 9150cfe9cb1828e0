"""Backups of the database and the files, and what is put back from them."""

from pathlib import Path

from greenstream import __version__
from greenstream.adapters.backups import Plan, Restored, Taken, check_outside, plan_restore, restore, take_backup
from greenstream.adapters.backups.bars import Bars
from greenstream.wiring.place import Place


class Backups:
    """Take one, look into one, restore one."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def take(self, path: Path, bars: Bars, *, files: bool) -> Taken:
        """Write a backup of the database as it is, and of the files, where they are in a folder.

        A night under way is waited for, and the next one waits.
        """
        place = self._place
        dsn = place.dsn
        if root := place.store.root():
            check_outside(path, root)
        with place.exclusion.alone():
            return take_backup(
                path, dsn, store=str(place.store), root=root if files else None, program=__version__, bars=bars
            )

    def plan_restore(self, path: Path, bars: Bars) -> Plan:
        """See that a backup is whole and fits; nothing is changed."""
        place = self._place
        return plan_restore(path, place.started_dsn, place.site, bars)

    def restore(self, plan: Plan, bars: Bars, *, replace: bool, files: bool) -> Restored:
        """Replace the database by a backup, and put those files back that aren't there."""
        place = self._place
        root = place.store.root() if files and plan.backup.files else None
        return restore(plan, replace=replace, root=root, migrate=place.bring_up, bars=bars)
