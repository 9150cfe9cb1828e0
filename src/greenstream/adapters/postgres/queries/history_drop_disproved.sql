-- What is known of these meters and slots, and was not found again.
DELETE FROM greenstream.window_finding k
USING unnest(%(codes)s::text[], %(since)s::timestamptz[]) AS s (code, since)
WHERE k.code = s.code
  AND k.window_end >= s.since
  AND k.meter_key = ANY(%(meters)s)
  AND NOT EXISTS (
      SELECT FROM pg_temp.found n
      WHERE n.meter_key = k.meter_key AND n.code = k.code AND n.window_start = k.window_start
  )
