INSERT INTO greenstream.source_file
    (path, sha256, size_bytes, outcome, reason, received_at, processed_at, pipeline_version)
VALUES
    (%(path)s, %(sha256)s, %(size_bytes)s, %(outcome)s, %(reason)s, %(received_at)s, %(processed_at)s, %(version)s)
ON CONFLICT (path, received_at, sha256) DO UPDATE
SET outcome = excluded.outcome, reason = excluded.reason, processed_at = excluded.processed_at,
    pipeline_version = excluded.pipeline_version
WHERE source_file.outcome = 'failed'
