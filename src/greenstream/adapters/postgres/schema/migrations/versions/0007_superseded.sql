-- Readings that a newer version of the pipeline no longer produces from their file. Kept as they were.
SET LOCAL search_path = greenstream;

CREATE TABLE superseded_reading (
    LIKE reading,
    superseded_at timestamptz NOT NULL,
    superseded_by text NOT NULL
);
CREATE INDEX ON superseded_reading (meter_key, reading_at);

CREATE VIEW public.superseded_readings AS
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
    o.processed_at AS processed_timestamp,
    o.pipeline_version,
    d.path AS source_file,
    r.superseded_at,
    r.superseded_by
FROM superseded_reading r
LEFT JOIN meter m USING (meter_key)
LEFT JOIN location l ON l.location_key = r.location_key
LEFT JOIN word p ON p.kind = 'period' AND p.code = r.period
LEFT JOIN word s ON s.kind = 'season' AND s.code = r.season
LEFT JOIN word g ON g.kind = 'grade' AND g.code = r.grade
LEFT JOIN flag_set f USING (flags)
LEFT JOIN load o USING (load_id)
LEFT JOIN source_file d USING (source_file_id);
