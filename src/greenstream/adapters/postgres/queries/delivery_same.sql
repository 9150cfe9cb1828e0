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
      AND md5(d.path) = md5(%(path)s) AND d.path = %(path)s AND d.replayed_at IS NULL AND d.discarded_at IS NULL
)
SELECT received_at FROM same
