SELECT pg_advisory_unlock(hashtext('greenstream alerts sent'))
