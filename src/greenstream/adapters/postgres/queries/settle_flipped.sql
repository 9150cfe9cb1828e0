-- Of a retired day, the meters that are judged otherwise now than when it was settled before.
SELECT n.meter_key
FROM unnest(%(meters)s::integer[], %(reliability)s::double precision[]) AS n (meter_key, reliability)
JOIN greenstream.day d ON d.day = %(day)s AND d.retired_at IS NOT NULL
LEFT JOIN greenstream.meter_reliability r ON r.day = d.day AND r.meter_key = n.meter_key
WHERE coalesce(n.reliability > %(min_reliability)s, true) <> coalesce(r.reliability > %(min_reliability)s, true)
ORDER BY n.meter_key
