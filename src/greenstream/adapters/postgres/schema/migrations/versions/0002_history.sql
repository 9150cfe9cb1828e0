-- What the history rules need, and what they find.
SET LOCAL search_path = greenstream;

-- Up to here (a slot's start) the history rules have been applied to the whole fleet.
ALTER TABLE site ADD COLUMN watermark timestamptz;

-- Whether `reading.quality_score` counts the meter as reliable.
ALTER TABLE reading ADD COLUMN reliable boolean NOT NULL DEFAULT true;

-- From the roster of the meters, where there is one; and from where on the history rules have looked at a meter.
ALTER TABLE meter
    ADD COLUMN commissioned date,
    ADD COLUMN decommissioned date,
    ADD COLUMN watched_from timestamptz;

ALTER TABLE day ADD COLUMN settled_at timestamptz;

-- Stored readings that the history rules have not seen yet: written with the load, deleted by the watch.
CREATE TABLE unwatched (
    load_id bigint NOT NULL REFERENCES load,
    day date NOT NULL,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    meters integer[] NOT NULL,
    PRIMARY KEY (load_id, day)
);

-- The current values of a meter on a local day, a little-endian integer of 4 bytes a slot: 0.1 W, or -1 negative, -2 no
-- kW, -3 missing. Derived from the current readings; a hundredth of their size, so a week of a fleet is read in a second.
CREATE TABLE meter_day (
    day date NOT NULL,
    meter_key integer NOT NULL,
    slot_values bytea NOT NULL,
    PRIMARY KEY (day, meter_key)
) WITH (fillfactor = 50);
ALTER TABLE meter_day ALTER COLUMN slot_values SET STORAGE PLAIN;

-- Of each meter on a settled day: how many of the slots up to the day's last one were usable.
CREATE TABLE meter_reliability (
    day date NOT NULL,
    meter_key integer NOT NULL,
    usable integer NOT NULL,
    slots integer NOT NULL,
    reliability double precision,  -- null while there are too few slots
    PRIMARY KEY (meter_key, day)
);

CREATE TABLE window_rule (
    code text PRIMARY KEY,
    rule_id text NOT NULL,
    severity text NOT NULL
);
CREATE TABLE window_finding (
    meter_key integer NOT NULL REFERENCES meter,
    code text NOT NULL REFERENCES window_rule,
    window_start timestamptz NOT NULL,
    window_end timestamptz NOT NULL,  -- the start of the last slot
    record_id bytea,
    reading_at timestamptz,
    load_id bigint,
    detail jsonb NOT NULL,
    detected_at timestamptz NOT NULL,
    resolved_at timestamptz,
    alerted_at timestamptz,
    PRIMARY KEY (meter_key, code, window_start)
);
CREATE INDEX open_finding ON window_finding (meter_key) WHERE resolved_at IS NULL;
CREATE INDEX waiting_for_alert ON window_finding (code) WHERE alerted_at IS NULL;

CREATE OR REPLACE VIEW public.data_quality_log AS
SELECT
    f.rule_id,
    f.code,
    f.severity,
    m.meter_id,
    encode(n.record_id, 'hex') AS record_id,
    n.reading_at,
    NULL::timestamptz AS window_start,
    NULL::timestamptz AS window_end,
    jsonb_build_object('energy_value', n.energy_value) AS detail,
    d.path AS source_file,
    o.processed_at AS detected_at,
    NULL::timestamptz AS resolved_at
FROM row_finding n
LEFT JOIN flag f USING (flag)
LEFT JOIN meter m USING (meter_key)
LEFT JOIN load o USING (load_id)
LEFT JOIN source_file d USING (source_file_id)
UNION ALL
SELECT
    r.rule_id,
    w.code,
    r.severity,
    m.meter_id,
    encode(w.record_id, 'hex'),
    w.reading_at,
    w.window_start,
    w.window_end,
    w.detail,
    d.path,
    w.detected_at,
    w.resolved_at
FROM window_finding w
LEFT JOIN window_rule r USING (code)
LEFT JOIN meter m USING (meter_key)
LEFT JOIN load o USING (load_id)
LEFT JOIN source_file d USING (source_file_id);
