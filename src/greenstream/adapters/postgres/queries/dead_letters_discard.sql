UPDATE greenstream.dead_letter
SET discarded_at = %(now)s, discard_reason = %(reason)s
WHERE dead_letter_id = %(id)s AND replayed_at IS NULL AND discarded_at IS NULL
RETURNING dead_letter_id
