"""Restoring a backup."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from greenstream.adapters.backups.bars import Bars
from greenstream.adapters.backups.files import FilesBack, copy_back
from greenstream.adapters.backups.folder import DUMP
from greenstream.adapters.backups.reading import Contents, check_contents, describe
from greenstream.adapters.postgres.backup.dump_programs import Tools, check_dump, find_tools, pg_restore, rights_in
from greenstream.adapters.postgres.backup.replacement import (
    Holding,
    Target,
    analyze,
    check_rows,
    give_rights,
    inspect_target,
    replacing,
)
from greenstream.adapters.postgres.schema.version import newest_version
from greenstream.domain.backup import Backup, check_restorable
from greenstream.domain.errors import RestoreRefused
from greenstream.domain.site import Site

_FILLED = re.compile(r"finished item \d+ TABLE DATA (\S+)|processing data for table \"?([^\"\s]+)\"?")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A backup that is whole and fits, the database it will replace, and the programs that do it."""

    path: Path
    backup: Backup
    contents: Contents
    target: Target
    tools: Tools

    @property
    def dropped(self) -> Holding | None:
        """What will be lost; None if nothing is."""
        holding = self.target.holding
        return None if holding is None or holding.is_empty else holding


@dataclass(frozen=True, kw_only=True)
class Restored:
    """`schema_version` is what the tables were brought to; `files` is None where files were not asked for.

    `rights_refused` says which rights of other roles could not be given again.
    """

    plan: Plan
    schema_version: str
    files: FilesBack | None
    rights_refused: tuple[str, ...]


def plan_restore(path: Path, dsn: Callable[[], str], site: Site, bars: Bars) -> Plan:
    """See that a backup is whole, and can go where it is to go. Changes nothing, but starts the server for `dsn`.

    Raises:
        InvalidBackup: it is broken off, damaged or of a newer program.
        SettingsError: it is of another site.
        RestoreRefused: the database is in use, or can't be replaced.
        BackupFailed: no pg_restore fits.
    """
    backup = describe(path)
    check_restorable(str(path), backup, site, newest_version())
    contents = check_contents(path, backup, bars)
    target = inspect_target(dsn(), backup.taken_at)
    tools = find_tools(target.major, int(backup.pg_dump.partition(".")[0]))
    check_dump(tools, path / DUMP)
    return Plan(path=path, backup=backup, contents=contents, target=target, tools=tools)


def restore(plan: Plan, *, replace: bool, root: Path | None, migrate: Callable[[str], str], bars: Bars) -> Restored:
    """Put the files back below `root`, if one is given, and replace the database, in one step at the very end.

    Broken off before, it leaves the database as it was, and can be run again. `migrate` brings the database of a DSN to
    this program's version, which it returns.

    Raises:
        RestoreRefused: there is data, and `replace` doesn't allow for its loss.
        BackupFailed: the backup can't be restored.
    """
    if plan.dropped and not replace:
        raise RestoreRefused(
            f"the database {plan.target.name} holds {plan.dropped}: add --replace to drop it in the end"
        )
    files = copy_back(plan.path, plan.contents, root, bars) if root else None
    with replacing(plan.target) as new:
        _fill(plan, new, bars)
        refused = give_rights(new, rights_in(plan.tools, plan.path / DUMP))
        version = migrate(new)
        analyze(new)
    return Restored(plan=plan, schema_version=version, files=files, rights_refused=tuple(refused))


def _fill(plan: Plan, new: str, bars: Bars) -> None:
    tables = dict(plan.backup.tables)
    with bars("restoring the database", plan.backup.rows, unit="rows") as bar:

        def heard(line: str) -> None:
            if found := _FILLED.search(line):
                name = found[2] or next((each for each in tables if each.endswith(f".{found[1]}")), "")
                bar.advance(tables.get(name, 0) if found[1] else 0)
                bar.describe(f"restoring {name}")

        pg_restore(plan.tools, new, plan.path / DUMP, plan.target.major, heard)
        check_rows(new, tables)
