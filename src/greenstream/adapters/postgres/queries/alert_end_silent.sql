UPDATE greenstream.alert
SET resolved_at = %(now)s
WHERE code = %(code)s AND last_at < %(since)s AND resolved_at IS NULL
