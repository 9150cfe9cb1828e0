-- name: claim
-- The content hash is claimed by the row that says the file is loaded: whoever comes second waits for the first one's
-- transaction, and gets no row if that commits.
INSERT INTO greenstream.source_file
    (path, sha256, size_bytes, outcome, received_at, modified_at, version, processed_at, pipeline_version)
VALUES
    (%(path)s, %(sha256)s, %(size_bytes)s, 'loaded', %(received_at)s, %(modified_at)s, %(version)s, %(processed_at)s,
     %(pipeline_version)s)
ON CONFLICT DO NOTHING
RETURNING source_file_id

-- name: first_seen
-- When a version was first seen: by an attempt that failed, or by the intake; its rights may have changed since.
SELECT coalesce(
    (
        SELECT min(received_at)
        FROM greenstream.source_file
        WHERE path = %(path)s
          AND outcome = 'failed'
          AND (version = %(version)s OR modified_at = %(modified_at)s AND size_bytes = %(size_bytes)s)
    ),
    (
        SELECT received_at
        FROM greenstream.waiting_file
        WHERE path = %(path)s
          AND (version = %(version)s OR modified_at = %(modified_at)s AND size_bytes = %(size_bytes)s)
    )
)

-- name: forget_failure
-- Also what was given up unseen, without its content's hash.
DELETE FROM greenstream.source_file
WHERE path = %(path)s AND outcome = 'failed' AND (sha256 IS NULL OR version = %(version)s)

-- name: is_loaded
SELECT EXISTS (SELECT FROM greenstream.source_file WHERE sha256 = %(sha256)s AND outcome = 'loaded')

-- name: newest
-- What came last under a path, and how it ended.
SELECT source_file_id, outcome FROM greenstream.source_file WHERE path = %(path)s ORDER BY source_file_id DESC LIMIT 1

-- name: record_file
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

-- name: recorded
SELECT
    outcome, reason, rows, stored, duplicate, rejected, ignored_columns, processed_at,
    path, size_bytes, received_at, encode(sha256, 'hex'), modified_at, version
FROM greenstream.source_file
WHERE path = %(path)s AND version = %(version)s AND outcome <> 'failed'

-- name: recorded_versions
SELECT f.path, f.version
FROM unnest(%(paths)s::text[], %(versions)s::text[]) AS n (path, version)
JOIN greenstream.source_file f USING (path, version)

-- name: same
-- Another version of the path's newest delivery (its rights changed, it was linked, restored, or rewritten by an
-- erasure that was broken off): its line takes over the version. If it had ended, whatever failed since is over.
WITH newest AS (
    SELECT source_file_id
    FROM greenstream.source_file
    WHERE path = %(path)s
      AND modified_at IS NOT NULL
      AND outcome <> 'forgotten'
      AND (outcome <> 'failed' OR sha256 IS NOT NULL)
    ORDER BY source_file_id DESC
    LIMIT 1
),
same AS (
    UPDATE greenstream.source_file f
    SET version = %(version)s,
        modified_at = %(modified_at)s,
        raw_sha256 = CASE WHEN f.rewriting_sha256 = %(sha256)s THEN f.rewriting_sha256 ELSE f.raw_sha256 END,
        rewriting_sha256 = CASE WHEN f.rewriting_sha256 = %(sha256)s THEN NULL ELSE f.rewriting_sha256 END,
        raw_deleted_at = NULL
    FROM newest n
    WHERE f.source_file_id = n.source_file_id
      AND (
          f.rewriting_sha256 = %(sha256)s
          OR f.modified_at = %(modified_at)s
              AND coalesce(f.raw_sha256, f.sha256) IS NOT DISTINCT FROM %(sha256)s
              AND (f.sha256 IS NOT NULL OR f.size_bytes = %(size_bytes)s)
      )
    RETURNING f.received_at, f.outcome <> 'failed' AS has_ended
),
others AS (
    UPDATE greenstream.source_file f
    SET raw_sha256 = f.rewriting_sha256, rewriting_sha256 = NULL
    FROM newest n
    WHERE f.path = %(path)s AND f.source_file_id <> n.source_file_id AND f.rewriting_sha256 = %(sha256)s
),
unseen AS (
    DELETE FROM greenstream.source_file f
    USING same
    WHERE same.has_ended AND f.path = %(path)s AND f.outcome = 'failed' AND f.sha256 IS NULL
),
closed AS (
    UPDATE greenstream.dead_letter d SET replayed_at = %(now)s
    FROM same
    WHERE same.has_ended
      AND md5(d.path) = md5(%(path)s) AND d.path = %(path)s AND greenstream.is_open(d)
)
SELECT received_at FROM same
