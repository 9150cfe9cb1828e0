-- Only as it was settled then: whatever came since is for the next time.
UPDATE greenstream.day SET archived_at = %(now)s WHERE day = %(day)s AND settled_at = %(settled_at)s
