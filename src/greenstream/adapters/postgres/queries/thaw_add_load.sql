-- The file's line in the ledger was deleted long ago: its name and time are all that a reading still tells.
WITH file AS (
    INSERT INTO greenstream.source_file (path, sha256, size_bytes, outcome, received_at, processed_at, pipeline_version)
    VALUES (%(path)s, NULL, 0, 'forgotten', %(processed_at)s, %(processed_at)s, %(version)s)
    ON CONFLICT (path, processed_at) WHERE outcome = 'forgotten' DO UPDATE SET outcome = excluded.outcome
    RETURNING source_file_id
)
INSERT INTO greenstream.load (source_file_id, processed_at, pipeline_version)
SELECT source_file_id, %(processed_at)s, %(version)s FROM file
RETURNING load_id
