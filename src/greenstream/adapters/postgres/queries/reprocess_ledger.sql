-- What the file's rows came to, from the rows that are there.
UPDATE greenstream.source_file f
SET rows = %(rows)s, stored = n.stored, rejected = n.rejected, duplicate = %(rows)s - n.stored - n.rejected
FROM (
    SELECT
        (
            SELECT coalesce(sum(c.readings), 0)
            FROM greenstream.load o JOIN greenstream.grade_count c USING (load_id)
            WHERE o.source_file_id = %(source_file_id)s
        ) AS stored,
        (
            SELECT count(*) FROM greenstream.quarantined_row q
            WHERE q.source_file_id = %(source_file_id)s AND q.replayed_at IS NULL
        ) AS rejected
) AS n
WHERE f.source_file_id = %(source_file_id)s
RETURNING f.rows, f.stored, f.duplicate, f.rejected
