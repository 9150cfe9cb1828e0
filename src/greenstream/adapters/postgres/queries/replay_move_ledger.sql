-- The file's ledger afterwards, and how many of its rows are in the quarantine, discarded ones too.
UPDATE greenstream.source_file f
SET rejected = f.rejected - %(passed)s, stored = f.stored + %(stored)s, duplicate = f.duplicate + %(duplicate)s
WHERE f.source_file_id = %(source_file_id)s
RETURNING f.rows, f.stored, f.duplicate, f.rejected, (
    SELECT count(*) FROM greenstream.quarantined_row q
    WHERE q.source_file_id = f.source_file_id AND q.replayed_at IS NULL
)
