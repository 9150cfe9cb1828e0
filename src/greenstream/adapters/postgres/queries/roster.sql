-- name: hold_activity
-- Whether a meter has a reading must not change while its location is corrected: loads wait with their last step.
LOCK TABLE greenstream.meter_activity IN SHARE MODE

-- name: move
UPDATE greenstream.meter m
SET location_key = n.location_key
FROM unnest(%(meters)s::text[], %(locations)s::integer[]) AS n (meter_id, location_key)
WHERE m.meter_id = n.meter_id
  AND m.location_key <> n.location_key
  AND NOT EXISTS (SELECT FROM greenstream.meter_activity a WHERE a.meter_key = m.meter_key)
RETURNING m.meter_id

-- name: register
INSERT INTO greenstream.meter (meter_id, location_key)
SELECT n.meter_id, n.location_key
FROM unnest(%(meters)s::text[], %(locations)s::integer[]) AS n (meter_id, location_key)
LEFT JOIN greenstream.meter m USING (meter_id)
WHERE m.meter_key IS NULL
ORDER BY n.meter_id
ON CONFLICT (meter_id) DO NOTHING
RETURNING meter_id

-- name: reschedule
-- Key, meter_id, and the day of retirement before and after, of each meter whose dates change.
WITH changed AS (
    SELECT m.meter_key, m.decommissioned AS before, n.commissioned, n.decommissioned
    FROM greenstream.meter m
    JOIN unnest(%(meters)s::text[], %(commissioned)s::date[], %(decommissioned)s::date[])
        AS r (meter_id, commissioned, decommissioned) USING (meter_id)
    CROSS JOIN LATERAL (
        SELECT
            CASE WHEN %(has_commissioned)s THEN r.commissioned ELSE m.commissioned END,
            CASE WHEN %(has_decommissioned)s THEN r.decommissioned ELSE m.decommissioned END
    ) AS n (commissioned, decommissioned)
    WHERE (m.commissioned, m.decommissioned) IS DISTINCT FROM (n.commissioned, n.decommissioned)
)
UPDATE greenstream.meter m
SET commissioned = c.commissioned, decommissioned = c.decommissioned
FROM changed c
WHERE c.meter_key = m.meter_key
RETURNING m.meter_key, m.meter_id, c.before, m.decommissioned
