"""Backups: a folder each, with a dump of the database and the files of the store."""

from greenstream.adapters.backups.folder import check_outside
from greenstream.adapters.backups.restore import Plan, Restored, plan_restore, restore
from greenstream.adapters.backups.take import Taken, take_backup

__all__ = ["Plan", "Restored", "Taken", "check_outside", "plan_restore", "restore", "take_backup"]
