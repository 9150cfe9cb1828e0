INSERT INTO greenstream.alert (code, severity, subject, message, first_at, last_at)
VALUES (%(code)s, %(severity)s, %(subject)s, %(message)s, %(at)s, %(at)s)
ON CONFLICT (code, md5(subject)) WHERE acknowledged_at IS NULL AND resolved_at IS NULL
DO UPDATE SET count = alert.count + 1, last_at = greatest(alert.last_at, excluded.last_at), message = excluded.message
