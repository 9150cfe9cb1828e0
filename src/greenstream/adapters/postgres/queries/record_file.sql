-- A file that never landed, being too large to be copied, has no raw file that could be deleted.
INSERT INTO greenstream.source_file
    (path, sha256, size_bytes, outcome, reason, received_at, modified_at, version, raw_deleted_at, processed_at,
     pipeline_version)
VALUES
    (%(path)s, %(sha256)s, %(size_bytes)s, %(outcome)s, %(reason)s, %(received_at)s, %(modified_at)s, %(version)s,
     CASE WHEN %(modified_at)s::timestamptz IS NULL AND %(outcome)s <> 'failed' THEN %(processed_at)s END,
     %(processed_at)s, %(pipeline_version)s)
ON CONFLICT (path, version) DO UPDATE
SET outcome = excluded.outcome, reason = excluded.reason, sha256 = excluded.sha256,
    processed_at = excluded.processed_at, pipeline_version = excluded.pipeline_version
WHERE source_file.outcome = 'failed'
