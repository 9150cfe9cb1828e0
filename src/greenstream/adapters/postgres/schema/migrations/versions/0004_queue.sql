-- Files on their way, and the queue that hands them to workers (its own schema comes with its library).
SET LOCAL search_path = greenstream;

-- A landed file that has not ended yet. What a person must see of it is here; the queue only says whose turn it is.
CREATE TABLE waiting_file (
    path text PRIMARY KEY,
    size_bytes bigint NOT NULL,
    received_at timestamptz NOT NULL,
    route text NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'retrying')),
    attempts integer NOT NULL DEFAULT 0,  -- that failed for a passing reason; the database being away is none
    crashes integer NOT NULL DEFAULT 0,   -- workers that died over it
    error text,                           -- the last one
    queued_at timestamptz NOT NULL,
    started_at timestamptz,
    next_at timestamptz
);

-- A file that failed before is never just waiting or running, and one that runs for too long is stuck.
CREATE VIEW public.waiting_files AS
SELECT
    path AS source_file,
    route,
    CASE
        WHEN state = 'running' AND started_at < now() - interval '10 minutes' THEN 'stuck'
        WHEN error IS NOT NULL THEN 'retrying'
        ELSE state
    END AS state,
    attempts,
    crashes,
    error,
    size_bytes,
    received_at,
    queued_at,
    started_at,
    next_at
FROM waiting_file;
