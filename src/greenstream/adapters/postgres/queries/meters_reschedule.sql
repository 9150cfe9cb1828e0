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
