-- name: due
-- Settled days whose settling the lake hasn't seen.
SELECT day
FROM greenstream.day
WHERE dirty_since IS NULL AND settled_at IS NOT NULL AND (archived_at IS NULL OR archived_at < settled_at)
ORDER BY day

-- name: facts
SELECT day, dirty_since, settled_at, archived_at, retired_at FROM greenstream.day WHERE day = %(day)s

-- name: held
-- As CSV, all lines of a load in one value: three times as fast as COPY, whose rows come one by one.
SELECT string_agg(
    meter_key || ','
    || date_part('epoch', reading_at)::bigint || ','
    || coalesce('"' || replace(energy_value, '"', '""') || '"', '') || ','
    || coalesce(power::text, '') || ','
    || location_key || ','
    || period || ','
    || season || ','
    || flags || ','
    || quality_score || ','
    || grade || ','
    || load_id || ','
    || line_number || E'\n',
    ''
)
FROM greenstream.reading
WHERE reading_at >= %(start)s AND reading_at < %(stop)s AND meter_key = ANY(%(keys)s)
GROUP BY load_id

-- name: keys
-- The meters whose readings of a day are here; of a retired day those that were rehydrated, even without any.
SELECT meter_key FROM greenstream.thawed WHERE day = %(day)s
UNION
SELECT meter_key FROM greenstream.reading WHERE reading_at >= %(start)s AND reading_at < %(stop)s

-- name: loads
SELECT o.load_id, o.processed_at, o.pipeline_version, f.path, f.source_file_id
FROM greenstream.load o
JOIN greenstream.source_file f USING (source_file_id)
WHERE o.load_id = ANY(%(keys)s)

-- name: locations
SELECT location_key, nullif(location, ''), customer_class, region
FROM greenstream.location
WHERE location_key = ANY(%(keys)s)

-- name: mark
-- Only as it was settled then: whatever came since is for the next time.
UPDATE greenstream.day SET archived_at = %(now)s WHERE day = %(day)s AND settled_at = %(settled_at)s

-- name: meter_ids
SELECT meter_key, meter_id FROM greenstream.meter WHERE meter_key = ANY(%(keys)s)

-- name: meters
-- Every meter, since when and until when it is one of the fleet, and where it is by now.
SELECT
    m.meter_key, m.meter_id, nullif(l.location, ''), l.customer_class, l.region,
    least(a.first_seen_at, m.commissioned::timestamp AT TIME ZONE s.timezone),
    m.decommissioned::timestamp AT TIME ZONE s.timezone
FROM greenstream.meter m
JOIN greenstream.location l USING (location_key)
LEFT JOIN greenstream.meter_activity a USING (meter_key)
CROSS JOIN greenstream.site s

-- name: record_ids
-- Many ids in one value: ten times as fast as COPY, whose rows come one by one. No value gets big: it is of 4,096 meters.
SELECT location_key, string_agg(record_id, ''::bytea)
FROM greenstream.reading
WHERE reading_at >= %(start)s AND reading_at < %(stop)s
GROUP BY location_key, load_id, meter_key / 4096

-- name: superseded
-- Since the day was archived.
SELECT count(*)
FROM greenstream.superseded_reading r
JOIN greenstream.day d ON d.day = %(day)s
WHERE r.reading_at >= %(start)s
  AND r.reading_at < %(stop)s
  AND (d.archived_at IS NULL OR r.superseded_at > d.archived_at)

-- name: verify_days
SELECT day FROM greenstream.day WHERE settled_at IS NOT NULL OR dirty_since IS NOT NULL ORDER BY day

-- name: verify_files
-- Loaded files with readings of a day, as they were processed first: replays came later, and of single rows.
SELECT
    min(o.processed_at) AS processed_at,
    f.raw_deleted_at IS NOT NULL AS may_be_gone,
    d.path, d.size_bytes, d.received_at, d.sha256, d.modified_at, d.version, d.replaced_at
FROM greenstream.source_file f
JOIN greenstream.delivery d USING (source_file_id)
JOIN greenstream.load o USING (source_file_id)
WHERE f.outcome = 'loaded'
  AND EXISTS (
      SELECT
      FROM greenstream.grade_count c
      JOIN greenstream.load l ON l.load_id = c.load_id
      WHERE l.source_file_id = f.source_file_id AND c.day = %(day)s AND c.readings > 0
  )
GROUP BY f.source_file_id, d.path, d.size_bytes, d.received_at, d.sha256, d.modified_at, d.version, d.replaced_at
ORDER BY f.received_at, f.source_file_id
