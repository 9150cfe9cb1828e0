-- A run that ends before what was looked at has ended: else it would have been found to go on.
UPDATE greenstream.window_finding k
SET resolved_at = k.window_end + %(slot)s::interval
FROM unnest(%(codes)s::text[], %(since)s::timestamptz[]) AS s (code, since)
WHERE k.code = s.code
  AND k.resolved_at IS NULL
  AND k.window_end < s.since
  AND k.meter_key = ANY(%(meters)s)
