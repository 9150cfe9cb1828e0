-- What people decide about rejected rows and dead letters.
SET LOCAL search_path = greenstream;

ALTER TABLE quarantined_row ADD COLUMN discard_reason text;
ALTER TABLE dead_letter ADD COLUMN discard_reason text;

-- A file that fails again is the same dead letter, once more.
UPDATE dead_letter d
SET replayed_at = n.failed_at
FROM dead_letter n
WHERE n.path = d.path AND n.dead_letter_id > d.dead_letter_id AND d.replayed_at IS NULL AND d.discarded_at IS NULL;
CREATE UNIQUE INDEX one_open_dead_letter ON dead_letter (md5(path)) WHERE replayed_at IS NULL AND discarded_at IS NULL;

CREATE OR REPLACE VIEW public.dead_letters AS
SELECT path AS source_file, error, attempts, failed_at, replayed_at, discarded_at, dead_letter_id
FROM dead_letter;
