-- Rejected rows in which the meter_id stands as a whole word.
DELETE FROM greenstream.quarantined_row WHERE raw_line ~ %(pattern)s
