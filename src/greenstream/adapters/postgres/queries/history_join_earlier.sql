-- A run whose beginning lies before what was looked at began where the finding that is known of it began.
UPDATE pg_temp.found n
SET window_start = k.window_start
FROM greenstream.window_finding k
WHERE n.began_earlier
  AND k.meter_key = n.meter_key
  AND k.code = n.code
  AND k.window_start < n.window_start
  AND k.window_end >= n.window_start - %(slot)s
