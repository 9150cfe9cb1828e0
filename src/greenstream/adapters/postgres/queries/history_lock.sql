-- One watch or settling at a time.
SELECT pg_advisory_xact_lock(hashtext('greenstream history'))
