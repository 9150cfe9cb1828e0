-- Held by the session: whoever dies while sending lets the next one send.
SELECT pg_try_advisory_lock(hashtext('greenstream alerts sent'))
