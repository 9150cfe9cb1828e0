-- silent: nothing comes now, or nothing ever came; faulty: something comes that can't be right.
UPDATE greenstream.meter m
SET status = s.status
FROM (
    SELECT
        k.meter_key,
        CASE
            WHEN bool_or(f.code = 'CONSECUTIVE_MISSING') THEN 'silent'
            WHEN bool_or(f.code IN ('DEAD_METER', 'STUCK_METER', 'COMMUNICATION_FAILURE')) THEN 'faulty'
            WHEN bool_and(a.meter_key IS NULL AND k.commissioned <= %(today)s
                          AND coalesce(k.decommissioned > %(today)s, true)) THEN 'silent'
            ELSE 'active'
        END AS status
    FROM greenstream.meter k
    LEFT JOIN greenstream.meter_activity a USING (meter_key)
    LEFT JOIN greenstream.window_finding f ON f.meter_key = k.meter_key AND f.resolved_at IS NULL
    GROUP BY k.meter_key
) AS s
WHERE s.meter_key = m.meter_key AND s.status <> m.status
