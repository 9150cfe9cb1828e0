-- Mean power of the usable readings by customer class and slot of one local day.
SELECT
    customer_class,
    floor(extract(epoch FROM (reading_at AT TIME ZONE %(timezone)s)::time) / %(slot_seconds)s)::integer AS slot,
    avg(consumption_kw)::double precision AS mean_kw
FROM current_readings
WHERE reading_at >= %(day)s::date::timestamp AT TIME ZONE %(timezone)s
  AND reading_at < (%(day)s::date + 1)::timestamp AT TIME ZONE %(timezone)s
  AND consumption_kw >= %(min_kw)s
  AND consumption_kw < %(max_kw)s
  AND customer_class IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2
