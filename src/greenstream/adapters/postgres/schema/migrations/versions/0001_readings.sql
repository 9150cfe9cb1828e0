-- Tables live in the schema greenstream; people and programs use the relations in public, at the end of this file.
CREATE SCHEMA greenstream;
SET LOCAL search_path = greenstream;

-- What can never change once readings are stored: days and slots are cut by it.
CREATE TABLE site (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    timezone text NOT NULL,
    slot interval NOT NULL,
    first_daily date NOT NULL  -- from this local day on there is a partition a day
);

-- The words behind the codes in readings, written from the program's own lists.
CREATE TABLE word (
    kind text NOT NULL,
    code smallint NOT NULL,
    word text NOT NULL,
    PRIMARY KEY (kind, code)
);
CREATE TABLE flag (
    flag smallint PRIMARY KEY,  -- one bit
    code text NOT NULL UNIQUE,
    rule_id text NOT NULL,
    severity text NOT NULL
);
CREATE TABLE flag_set (
    flags smallint PRIMARY KEY,  -- a sum of bits
    codes text[] NOT NULL
);

CREATE TABLE day (
    day date PRIMARY KEY,
    state text NOT NULL DEFAULT 'open',
    dirty_since timestamptz
);

CREATE TABLE location (
    location_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    location text NOT NULL UNIQUE,  -- '' stands for none
    customer_class text,
    region text NOT NULL
);

CREATE TABLE meter (
    meter_key integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meter_id text NOT NULL UNIQUE,
    location_key integer NOT NULL REFERENCES location,
    reliability double precision,
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'silent', 'faulty'))
);
-- Apart and narrow: this is what each file changes.
CREATE TABLE meter_activity (
    meter_key integer PRIMARY KEY REFERENCES meter,
    first_seen_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL
) WITH (fillfactor = 50);

CREATE TABLE source_file (
    source_file_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    path text NOT NULL,
    sha256 bytea NOT NULL,
    size_bytes bigint NOT NULL,
    outcome text NOT NULL CHECK (outcome IN ('loaded', 'duplicate', 'rejected', 'failed')),
    reason text,
    rows bigint NOT NULL DEFAULT 0,
    stored bigint NOT NULL DEFAULT 0,
    duplicate bigint NOT NULL DEFAULT 0,
    rejected bigint NOT NULL DEFAULT 0,
    ignored_columns text[] NOT NULL DEFAULT '{}',
    received_at timestamptz NOT NULL,
    processed_at timestamptz NOT NULL,
    pipeline_version text NOT NULL,
    UNIQUE (path, received_at, sha256),
    CONSTRAINT every_row_has_one_fate CHECK (rows = stored + duplicate + rejected)
);
CREATE UNIQUE INDEX content_loaded_once ON source_file (sha256) WHERE outcome = 'loaded';
CREATE INDEX ON source_file (processed_at);

-- One pass of a file, or of some of its rows, through the pipeline: what a reading's lineage points at.
CREATE TABLE load (
    load_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source_file_id bigint NOT NULL REFERENCES source_file,
    processed_at timestamptz NOT NULL,
    pipeline_version text NOT NULL
);
CREATE INDEX ON load (source_file_id);

CREATE TABLE reading (
    reading_at timestamptz NOT NULL,
    load_id bigint NOT NULL,
    power bigint,  -- 0.1 W
    meter_key integer NOT NULL,
    location_key integer NOT NULL,
    line_number integer NOT NULL,
    flags smallint NOT NULL,
    quality_score smallint NOT NULL,
    period smallint NOT NULL,
    season smallint NOT NULL,
    grade smallint NOT NULL,
    record_id bytea NOT NULL,
    energy_value text
) PARTITION BY RANGE (reading_at);
-- A record_id holds meter and time, so this is as strict as record_id alone, and local.
CREATE UNIQUE INDEX reading_key ON reading (meter_key, reading_at, record_id);

-- One row a flag of a stored reading. It outlives the reading's partition.
CREATE TABLE row_finding (
    reading_at timestamptz NOT NULL,
    load_id bigint NOT NULL,
    meter_key integer NOT NULL,
    flag smallint NOT NULL,
    record_id bytea NOT NULL,
    energy_value text
);
CREATE INDEX ON row_finding (meter_key, reading_at);

-- Counts by file, local day, region, grade and flag, so that nobody has to scan readings for them.
CREATE TABLE grade_count (
    load_id bigint NOT NULL REFERENCES load,
    day date NOT NULL,
    region text NOT NULL,
    grade smallint NOT NULL,
    readings bigint NOT NULL,
    PRIMARY KEY (load_id, day, region, grade)
);
CREATE INDEX ON grade_count (day);
CREATE TABLE flag_count (
    load_id bigint NOT NULL REFERENCES load,
    day date NOT NULL,
    region text NOT NULL,
    flag smallint NOT NULL,
    readings bigint NOT NULL,
    PRIMARY KEY (load_id, day, region, flag)
);
CREATE INDEX ON flag_count (day);

CREATE TABLE quarantined_row (
    source_file_id bigint NOT NULL REFERENCES source_file,
    line_number bigint NOT NULL,
    raw_bytes bytea NOT NULL,
    raw_line text NOT NULL,
    rule_id text NOT NULL,
    code text NOT NULL,
    quarantined_at timestamptz NOT NULL,
    replayed_at timestamptz,
    discarded_at timestamptz,
    PRIMARY KEY (source_file_id, line_number)
);
CREATE INDEX ON quarantined_row (code);

CREATE TABLE dead_letter (
    dead_letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    path text NOT NULL,
    error text NOT NULL,
    traceback text NOT NULL,
    attempts integer NOT NULL,
    failed_at timestamptz NOT NULL,
    replayed_at timestamptz,
    discarded_at timestamptz
);

CREATE TABLE alert (
    alert_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL,
    severity text NOT NULL CHECK (severity IN ('info', 'warning', 'error')),
    subject text NOT NULL,
    message text NOT NULL,
    count bigint NOT NULL DEFAULT 1,
    first_at timestamptz NOT NULL,
    last_at timestamptz NOT NULL,
    acknowledged_at timestamptz
);
CREATE UNIQUE INDEX one_open_alert ON alert (code, md5(subject)) WHERE acknowledged_at IS NULL;

-- The contract with the outside.
CREATE VIEW public.meter_readings AS
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
    d.path AS source_file
FROM reading r
LEFT JOIN meter m USING (meter_key)
LEFT JOIN location l ON l.location_key = r.location_key
LEFT JOIN word p ON p.kind = 'period' AND p.code = r.period
LEFT JOIN word s ON s.kind = 'season' AND s.code = r.season
LEFT JOIN word g ON g.kind = 'grade' AND g.code = r.grade
LEFT JOIN flag_set f USING (flags)
LEFT JOIN load o USING (load_id)
LEFT JOIN source_file d USING (source_file_id);

-- One reading a meter and slot: one with a kW before one without, a timestamp as read before an inferred one, then the
-- later processed, then the later line. Each row looks for a better one by the index: OFFSET 0 keeps the planner from
-- making a join of it, which would compare all readings of a meter with each other.
CREATE VIEW public.current_readings AS
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
    d.path AS source_file
FROM reading r
LEFT JOIN meter m USING (meter_key)
LEFT JOIN location l ON l.location_key = r.location_key
LEFT JOIN word p ON p.kind = 'period' AND p.code = r.period
LEFT JOIN word s ON s.kind = 'season' AND s.code = r.season
LEFT JOIN word g ON g.kind = 'grade' AND g.code = r.grade
LEFT JOIN flag_set f USING (flags)
LEFT JOIN load o USING (load_id)
LEFT JOIN source_file d USING (source_file_id)
CROSS JOIN site
CROSS JOIN (SELECT flag FROM flag WHERE code = 'TIMESTAMP_INFERRED') inferred
WHERE NOT EXISTS (
    SELECT
    FROM reading other
    JOIN load other_load ON other_load.load_id = other.load_id
    WHERE other.meter_key = r.meter_key
      AND other.reading_at >= date_bin(site.slot, r.reading_at, 'epoch')
      AND other.reading_at < date_bin(site.slot, r.reading_at, 'epoch') + site.slot
      AND other.record_id <> r.record_id
      AND (other.power IS NOT NULL, other.flags & inferred.flag = 0,
           other_load.processed_at, other_load.source_file_id, other.line_number)
        > (r.power IS NOT NULL, r.flags & inferred.flag = 0,
           o.processed_at, o.source_file_id, r.line_number)
    OFFSET 0
);

CREATE VIEW public.meter_metadata AS
SELECT
    m.meter_id,
    nullif(l.location, '') AS location,
    l.region,
    l.customer_class,
    a.first_seen_at,
    a.last_seen_at,
    m.reliability,
    m.status
FROM meter m
JOIN location l USING (location_key)
LEFT JOIN meter_activity a USING (meter_key);

CREATE VIEW public.data_quality_log AS
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
LEFT JOIN source_file d USING (source_file_id);

CREATE VIEW public.source_files AS
SELECT
    path,
    encode(sha256, 'hex') AS sha256,
    size_bytes,
    outcome,
    reason,
    rows,
    stored,
    duplicate,
    rejected,
    ignored_columns,
    received_at,
    processed_at,
    pipeline_version
FROM source_file;

CREATE VIEW public.quarantined_rows AS
SELECT
    d.path AS source_file,
    q.line_number,
    q.raw_line,
    q.rule_id,
    q.code,
    q.quarantined_at,
    q.replayed_at,
    q.discarded_at
FROM quarantined_row q
JOIN source_file d USING (source_file_id);

CREATE VIEW public.dead_letters AS
SELECT path AS source_file, error, attempts, failed_at, replayed_at
FROM dead_letter;

CREATE VIEW public.alerts AS
SELECT code, severity, subject, message, count, first_at, last_at, acknowledged_at
FROM alert;
