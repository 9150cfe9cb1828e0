-- A delivery is a version of a path, known by what no sender can choose; `received_at` is when it was first seen.
SET LOCAL search_path = greenstream;

-- `modified_at` is null where no file of that delivery was ever seen in the store; `version` in lines that are older
-- than it. `rewriting_sha256` is what an erasure that was broken off may have made of the raw file.
ALTER TABLE source_file
    ALTER COLUMN sha256 DROP NOT NULL,
    ADD COLUMN modified_at timestamptz,
    ADD COLUMN version text,
    ADD COLUMN rewriting_sha256 bytea;
ALTER TABLE source_file DROP CONSTRAINT source_file_path_received_at_sha256_key;

-- Until now a file's own time stood for its coming. One that is far older, or later, than the processing was its sender's.
UPDATE source_file
SET modified_at = CASE WHEN outcome <> 'forgotten' THEN received_at END,
    received_at = CASE
        WHEN received_at BETWEEN processed_at - interval '1 day' AND processed_at THEN received_at
        ELSE processed_at
    END,
    sha256 = nullif(sha256, '');

CREATE UNIQUE INDEX delivery_once ON source_file (path, version);
CREATE UNIQUE INDEX forgotten_once ON source_file (path, processed_at) WHERE outcome = 'forgotten';
CREATE INDEX source_file_rewriting ON source_file (source_file_id) WHERE rewriting_sha256 IS NOT NULL;
CREATE INDEX source_file_unversioned ON source_file (path, modified_at) WHERE version IS NULL;

ALTER TABLE waiting_file
    ADD COLUMN modified_at timestamptz,
    ADD COLUMN version text;
UPDATE waiting_file
SET modified_at = received_at,
    received_at = CASE
        WHEN received_at BETWEEN queued_at - interval '1 day' AND queued_at THEN received_at
        ELSE queued_at
    END;
ALTER TABLE waiting_file ALTER COLUMN modified_at SET NOT NULL;

-- The bytes that a delivery's raw file must have, as far as it is still there; and when the newest one came that has
-- its path by now.
CREATE VIEW delivery AS
SELECT
    f.source_file_id,
    f.path,
    f.size_bytes,
    f.received_at,
    f.modified_at,
    f.version,
    encode(coalesce(f.raw_sha256, f.sha256), 'hex') AS sha256,
    (
        SELECT max(n.received_at)
        FROM source_file n
        WHERE n.path = f.path
          AND n.source_file_id > f.source_file_id
          AND n.outcome <> 'forgotten'
          AND n.modified_at IS NOT NULL
    ) AS replaced_at
FROM source_file f;
