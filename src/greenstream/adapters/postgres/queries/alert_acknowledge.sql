UPDATE greenstream.alert
SET acknowledged_at = %(now)s
WHERE acknowledged_at IS NULL
AND resolved_at IS NULL
AND (%(ids)s::bigint[] IS NULL OR alert_id = ANY (%(ids)s))
AND (%(code)s::text IS NULL OR code = %(code)s)
RETURNING alert_id
