SELECT pg_advisory_xact_lock(hashtext('greenstream rejudge'))
