-- name: analyze
ANALYZE

-- name: comment
SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %(name)s

-- name: dropped
SELECT
    (SELECT count(*) FROM greenstream.meter) AS meters,
    count(*) AS files,
    coalesce(sum(stored), 0)::bigint AS stored,
    max(processed_at) AS newest
FROM greenstream.source_file

-- name: end_connections
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE datname = ANY(%(names)s) AND backend_type = 'client backend' AND pg_has_role(usesysid, 'USAGE')

-- name: erased
SELECT reason FROM greenstream.erasure WHERE requested_at > %(since)s ORDER BY requested_at

-- name: facts
SELECT
    current_setting('server_version') AS server_version,
    current_setting('server_version_num')::integer / 10000 AS major,
    pg_export_snapshot() AS snapshot,
    transaction_timestamp() AS taken_at

-- name: lock
-- Held by the session.
SELECT pg_try_advisory_lock(hashtext('greenstream restore ' || %(name)s::text))

-- name: tables
SELECT n.nspname AS schema, c.relname AS name
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r'
  AND (n.nspname IN ('greenstream', 'greenstream_queue') OR (n.nspname, c.relname) = ('public', 'greenstream_version'))
ORDER BY 1, 2

-- name: target
SELECT
    current_setting('server_version_num')::integer / 10000 AS major,
    (SELECT rolcreatedb OR rolsuper FROM pg_roles WHERE rolname = current_user) AS can_create,
    pg_has_role(current_user, (SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE') AS owns,
    current_user AS role,
    ARRAY(
        SELECT coalesce(nullif(application_name, ''), 'unnamed')
        FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        ORDER BY 1
    ) AS others,
    to_regclass('greenstream.source_file') IS NOT NULL AS is_ours,
    to_regclass('greenstream.erasure') IS NOT NULL AS knows_erasures,
    -- What isn't of GreenStream, nor of an extension, and would be gone with the database.
    ARRAY(
        SELECT format('%%I.%%I', n.nspname, c.relname)
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'm', 'f')
          AND n.nspname !~ '^pg_' AND n.nspname NOT IN ('information_schema', 'greenstream', 'greenstream_queue')
          AND (n.nspname, c.relname) <> ('public', 'greenstream_version')
          AND NOT EXISTS (
              SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'e'
          )
        ORDER BY 1
    ) AS foreign_tables
