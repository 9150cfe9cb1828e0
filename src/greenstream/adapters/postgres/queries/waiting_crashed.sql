-- A file that was put off wasn't being worked on when its worker was lost.
UPDATE greenstream.waiting_file
SET state = 'waiting',
    crashes = crashes + CASE state WHEN 'running' THEN 1 ELSE 0 END,
    error = CASE state WHEN 'running' THEN %(error)s ELSE error END
WHERE path = %(path)s
RETURNING crashes
