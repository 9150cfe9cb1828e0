SELECT
    dead_letter_id AS id, path AS source_file, error, attempts, failed_at, replayed_at, discarded_at, discard_reason, traceback
FROM greenstream.dead_letter
WHERE dead_letter_id = %(id)s
