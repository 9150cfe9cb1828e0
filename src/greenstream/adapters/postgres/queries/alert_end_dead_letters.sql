UPDATE greenstream.alert a
SET resolved_at = %(now)s
WHERE a.code = 'DEAD_LETTER'
AND a.acknowledged_at IS NULL
AND a.resolved_at IS NULL
AND NOT EXISTS (
    SELECT FROM greenstream.dead_letter d
    WHERE md5(d.path) = md5(a.subject) AND d.replayed_at IS NULL AND d.discarded_at IS NULL
)
