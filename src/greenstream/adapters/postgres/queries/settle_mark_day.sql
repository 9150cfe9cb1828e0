UPDATE greenstream.day SET state = 'settled', dirty_since = NULL, settled_at = %(now)s WHERE day = %(day)s
