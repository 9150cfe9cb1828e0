-- Findings that no alert has told of, old enough to.
SELECT f.code, r.severity, m.meter_id, f.window_start, f.detail::text
FROM greenstream.window_finding f
JOIN greenstream.window_rule r USING (code)
JOIN greenstream.meter m USING (meter_key)
WHERE f.alerted_at IS NULL AND f.detected_at <= %(until)s
ORDER BY f.code, m.meter_id, f.window_start
