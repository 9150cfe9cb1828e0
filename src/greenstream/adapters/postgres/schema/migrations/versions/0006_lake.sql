-- Days in the lake, and what was deleted once it was there.
SET LOCAL search_path = greenstream;

-- A retired day's readings are in the lake only, but for those of the meters in `thawed`.
ALTER TABLE day
    ADD COLUMN archived_at timestamptz,
    ADD COLUMN retired_at timestamptz;

-- Meters whose readings of a retired day were brought back, because more of them came.
CREATE TABLE thawed (
    day date NOT NULL,
    meter_key integer NOT NULL REFERENCES meter,
    PRIMARY KEY (day, meter_key)
);

-- When retention let the landed file go.
ALTER TABLE source_file ADD COLUMN raw_deleted_at timestamptz;
CREATE INDEX source_file_raw ON source_file (received_at) WHERE raw_deleted_at IS NULL;

-- A file whose line in the ledger has been deleted, but whose readings were brought back from the lake.
ALTER TABLE source_file
    DROP CONSTRAINT source_file_outcome_check,
    ADD CONSTRAINT source_file_outcome_check
        CHECK (outcome IN ('loaded', 'duplicate', 'rejected', 'failed', 'forgotten'));

CREATE OR REPLACE VIEW public.source_files AS
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
FROM source_file
WHERE outcome <> 'forgotten';

-- Everything that was ever deleted for good: what retention let go, what a person had erased.
CREATE TABLE deletion (
    deletion_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    deleted_at timestamptz NOT NULL,
    layer text NOT NULL,
    subject text NOT NULL,
    amount bigint NOT NULL,
    reason text NOT NULL
);

-- Retention looks for old ones by time, and they come about in that order.
CREATE INDEX row_finding_by_time ON row_finding USING brin (reading_at);
CREATE INDEX window_finding_by_end ON window_finding (window_end) WHERE resolved_at IS NOT NULL;
CREATE INDEX quarantined_row_by_time ON quarantined_row USING brin (quarantined_at);

CREATE VIEW public.deletions AS
SELECT deleted_at, layer, subject, amount, reason FROM deletion;

CREATE VIEW public.days AS
SELECT
    day,
    CASE
        WHEN retired_at IS NOT NULL AND dirty_since IS NULL THEN 'retired'
        WHEN dirty_since IS NOT NULL THEN 'open'
        WHEN archived_at >= settled_at THEN 'archived'
        ELSE 'settled'
    END AS state,
    dirty_since,
    settled_at,
    archived_at,
    retired_at
FROM day;
