DELETE FROM greenstream.quarantined_row WHERE quarantined_at < %(before)s
