SELECT
    alert_id, code, severity, subject, message, count, first_at, last_at, acknowledged_at, resolved_at
FROM greenstream.alert
WHERE %(closed)s OR acknowledged_at IS NULL AND resolved_at IS NULL
ORDER BY last_at DESC, alert_id DESC
