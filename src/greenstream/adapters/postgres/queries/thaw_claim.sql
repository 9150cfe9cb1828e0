-- The meters whose readings of retired days aren't here, noted as being here from now on; another transaction that
-- brings some of them back waits.
WITH claimed AS (
    INSERT INTO greenstream.thawed (day, meter_key)
    SELECT d.day, m.meter_key
    FROM greenstream.day d
    CROSS JOIN unnest(%(meters)s::integer[]) AS m (meter_key)
    WHERE d.day = ANY(%(days)s) AND d.retired_at IS NOT NULL
    ORDER BY d.day, m.meter_key
    ON CONFLICT DO NOTHING
    RETURNING day, meter_key
)
SELECT c.day, array_agg(m.meter_id ORDER BY m.meter_id)
FROM claimed c
JOIN greenstream.meter m USING (meter_key)
GROUP BY c.day
ORDER BY c.day
