"""Backups: a folder each, with a dump of the database and the files of the store."""

from greenstream.adapters.backups.restore import Plan, Restored, plan_restore, restore
from greenstream.adapters.backups.take import take_backup

__all__ = ["Plan", "Restored", "plan_restore", "restore", "take_backup"]
