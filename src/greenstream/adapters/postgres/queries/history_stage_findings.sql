CREATE TEMP TABLE IF NOT EXISTS found (
    code text NOT NULL,
    meter_key integer NOT NULL,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL,
    began_earlier boolean NOT NULL,
    detail jsonb NOT NULL
) ON COMMIT DROP
