DELETE FROM greenstream.thawed WHERE day = %(day)s
