-- What several queries must say alike: which of several readings counts, and what is open.
SET LOCAL search_path = greenstream;

-- Of several readings of a meter and slot the one with the greatest precedence is the current one; of equally good ones
-- it is the latest. The attributes and their order are those of greenstream.domain.readings.current; a test compares them.
CREATE TYPE precedence AS (
    has_power boolean,
    is_as_read boolean,
    processed_timestamp timestamptz,
    source_file_id bigint,
    line_number integer
);
CREATE TYPE lateness AS (
    processed_timestamp timestamptz,
    source_file_id bigint,
    line_number integer
);

-- A reading, where it comes from, and how it ranks.
CREATE VIEW ranked_reading AS
SELECT
    r.reading_at,
    r.load_id,
    r.power,
    r.meter_key,
    r.location_key,
    r.line_number,
    r.flags,
    r.quality_score,
    r.period,
    r.season,
    r.grade,
    r.record_id,
    r.energy_value,
    r.reliable,
    o.source_file_id,
    o.processed_at,
    o.pipeline_version,
    ROW(
        r.power IS NOT NULL,
        r.flags & 8 = 0,  -- TIMESTAMP_INFERRED
        o.processed_at,
        o.source_file_id,
        r.line_number
    )::precedence AS precedence,
    ROW(o.processed_at, o.source_file_id, r.line_number)::lateness AS lateness
FROM reading r
JOIN load o USING (load_id);

-- Each row looks for a better one by the index: OFFSET 0 keeps the planner from making a join of it, which would compare
-- all readings of a meter with each other.
CREATE OR REPLACE VIEW public.current_readings AS
SELECT
    encode(r.record_id, 'hex') AS record_id,
    m.meter_id,
    r.reading_at,
    r.energy_value,
    (r.power * 0.0001)::numeric(20, 4) AS consumption_kw,
    nullif(l.location, '') AS location,
    l.region,
    l.customer_class,
    p.word AS period,
    s.word AS season,
    f.codes AS flags,
    r.quality_score::integer AS quality_score,
    g.word AS quality_grade,
    r.processed_at AS processed_timestamp,
    r.pipeline_version,
    d.path AS source_file
FROM ranked_reading r
LEFT JOIN meter m USING (meter_key)
LEFT JOIN location l ON l.location_key = r.location_key
LEFT JOIN word p ON p.kind = 'period' AND p.code = r.period
LEFT JOIN word s ON s.kind = 'season' AND s.code = r.season
LEFT JOIN word g ON g.kind = 'grade' AND g.code = r.grade
LEFT JOIN flag_set f USING (flags)
LEFT JOIN source_file d USING (source_file_id)
CROSS JOIN site
WHERE NOT EXISTS (
    SELECT
    FROM ranked_reading other
    WHERE other.meter_key = r.meter_key
      AND other.reading_at >= date_bin(site.slot, r.reading_at, 'epoch')
      AND other.reading_at < date_bin(site.slot, r.reading_at, 'epoch') + site.slot
      AND other.record_id <> r.record_id
      AND other.precedence > r.precedence
    OFFSET 0
);

-- What is open.
-- An alert that no person has acknowledged, and whose trouble hasn't ended:
CREATE FUNCTION is_open(alert alert) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN alert.acknowledged_at IS NULL AND alert.resolved_at IS NULL;

-- A file that failed, and a row that was rejected, and wait for a person or a replay:
CREATE FUNCTION is_open(letter dead_letter) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN letter.replayed_at IS NULL AND letter.discarded_at IS NULL;
CREATE FUNCTION is_open(quarantined quarantined_row) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN quarantined.replayed_at IS NULL AND quarantined.discarded_at IS NULL;

-- A run that goes on:
CREATE FUNCTION is_open(finding window_finding) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN finding.resolved_at IS NULL;
