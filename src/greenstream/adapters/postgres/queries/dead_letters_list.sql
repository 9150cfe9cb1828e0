-- The newest first.
SELECT dead_letter_id AS id, path AS source_file, error, attempts, failed_at, replayed_at, discarded_at
FROM greenstream.dead_letter
WHERE %(with_closed)s OR replayed_at IS NULL AND discarded_at IS NULL
ORDER BY failed_at DESC, dead_letter_id DESC
