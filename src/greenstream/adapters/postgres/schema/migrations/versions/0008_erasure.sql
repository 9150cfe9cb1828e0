-- Meters whose readings up to some moment were erased for good. Only a hash is kept, to know them when they come again.
SET LOCAL search_path = greenstream;

CREATE TABLE erasure (
    erasure_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    meter_sha256 bytea NOT NULL,
    until timestamptz NOT NULL,
    reason text NOT NULL,
    requested_at timestamptz NOT NULL,
    completed_at timestamptz,
    days date[] NOT NULL  -- on which the lake may have readings of it
);
CREATE INDEX ON erasure (meter_sha256);

-- The raw file's SHA-256 where lines were erased from it; and whether it holds lines that are still to be erased.
ALTER TABLE source_file
    ADD COLUMN raw_sha256 bytea,
    ADD COLUMN to_erase boolean NOT NULL DEFAULT false;
CREATE INDEX source_file_to_erase ON source_file (source_file_id) WHERE to_erase;

CREATE VIEW public.erasures AS
SELECT encode(meter_sha256, 'hex') AS meter_sha256, until, reason, requested_at, completed_at
FROM erasure;
