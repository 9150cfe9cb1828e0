SELECT a.alert_id, a.code, a.severity, a.subject, a.message, a.count, a.first_at, a.last_at
FROM greenstream.alert a
LEFT JOIN greenstream.alert_told t
    ON t.channel = %(channel)s AND t.code = a.code AND md5(t.subject) = md5(a.subject)
WHERE a.acknowledged_at IS NULL
AND a.resolved_at IS NULL
AND (
    t.channel IS NULL
    OR t.told_at <= %(told_before)s AND (t.alert_id <> a.alert_id OR a.count > t.count OR a.last_at > t.told_at)
)
AND NOT (a.code = 'ALERT_CHANNEL_DOWN' AND a.subject = %(channel)s)
ORDER BY array_position(ARRAY['error', 'warning', 'info'], a.severity), a.first_at, a.alert_id
