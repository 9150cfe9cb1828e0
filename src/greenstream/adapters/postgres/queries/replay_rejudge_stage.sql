CREATE TEMP TABLE IF NOT EXISTS rejudged (
    meter_key integer NOT NULL,
    reading_at timestamptz NOT NULL,
    record_id bytea NOT NULL,
    load_id bigint NOT NULL,
    power bigint,
    flags smallint NOT NULL,
    quality_score smallint NOT NULL,
    grade smallint NOT NULL,
    period smallint NOT NULL,
    season smallint NOT NULL,
    energy_value text,
    region text NOT NULL,
    old_load_id bigint NOT NULL,
    old_flags smallint NOT NULL,
    old_grade smallint NOT NULL,
    line_number integer
) ON COMMIT DROP
