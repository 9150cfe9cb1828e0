-- name: add_code
INSERT INTO greenstream.word (kind, code, word) VALUES (%(kind)s, %(code)s, %(word)s)
ON CONFLICT (kind, code) DO UPDATE SET word = excluded.word

-- name: add_flag
INSERT INTO greenstream.flag (flag, code, rule_id, severity)
VALUES (%(flag)s, %(code)s, %(rule_id)s, %(severity)s)
ON CONFLICT (flag) DO UPDATE SET code = excluded.code, rule_id = excluded.rule_id, severity = excluded.severity

-- name: add_flag_set
INSERT INTO greenstream.flag_set (flags, codes) VALUES (%(flags)s, %(codes)s)
ON CONFLICT (flags) DO UPDATE SET codes = excluded.codes

-- name: add_site
INSERT INTO greenstream.site (timezone, slot, first_daily)
VALUES (%(timezone)s, make_interval(mins => %(interval_minutes)s), %(first_daily)s)
ON CONFLICT DO NOTHING

-- name: add_window_rule
INSERT INTO greenstream.window_rule (code, rule_id, severity) VALUES (%(code)s, %(rule_id)s, %(severity)s)
ON CONFLICT (code) DO UPDATE SET rule_id = excluded.rule_id, severity = excluded.severity

-- name: is_older
-- Whether a day is one of those that share a partition.
SELECT first_daily > %(day)s FROM greenstream.site

-- name: lock_migration
-- Held by the session.
SELECT pg_advisory_lock(hashtext('greenstream migration'))

-- name: lock_partitions
SELECT pg_advisory_xact_lock(hashtext('greenstream partitions'))

-- name: lock_reader
SELECT pg_advisory_xact_lock(hashtext('greenstream reader'))

-- name: move_first_daily
UPDATE greenstream.site SET first_daily = %(day)s

-- name: read_site
SELECT timezone, extract(epoch FROM slot)::integer / 60 AS interval_minutes, first_daily FROM greenstream.site

-- name: reader_close
-- The statements that take from PUBLIC what a reader could disturb others with; none once they have run.
SELECT format('REVOKE ALL ON DATABASE %%I FROM PUBLIC', datname)
FROM pg_database
WHERE datname IN (current_database(), 'postgres', 'template1')
    AND (has_database_privilege('public', oid, 'CONNECT') OR has_database_privilege('public', oid, 'TEMPORARY'))
UNION ALL
SELECT 'REVOKE CREATE ON SCHEMA public FROM PUBLIC'
WHERE has_schema_privilege('public', 'public', 'CREATE')
UNION ALL
SELECT format('REVOKE EXECUTE ON FUNCTION %%s FROM PUBLIC', oid::regprocedure)
FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace
    AND (
        proname ~ '^(pg_(try_)?advisory_|lo_)'  -- our services wait for each other by advisory locks
        OR proname IN (
            'loread', 'lowrite',
            'set_config',  -- a query could lift its own limits
            'pg_notify', 'pg_logical_emit_message', 'pg_export_snapshot',
            'pg_cancel_backend', 'pg_terminate_backend'
        )
    )
    AND has_function_privilege('public', oid, 'EXECUTE')

-- name: reader_excess
-- What the role of this connection can do beyond reading.
SELECT power.name AS what
FROM pg_roles AS role
CROSS JOIN LATERAL (
    VALUES ('is a superuser', rolsuper), ('may create roles', rolcreaterole), ('may create databases', rolcreatedb),
        ('may replicate', rolreplication), ('passes row security', rolbypassrls)
) AS power (name, given)
WHERE role.rolname = current_user AND power.given
UNION ALL
SELECT 'has the role ' || granted.rolname
FROM pg_roles AS granted
WHERE granted.rolname <> current_user AND pg_has_role(granted.oid, 'MEMBER')
    AND NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
UNION ALL
SELECT 'may create schemas' WHERE has_database_privilege(current_database(), 'CREATE')
UNION ALL
SELECT 'may create tables in public' WHERE has_schema_privilege('public', 'CREATE')
UNION ALL
SELECT format('may write %%s', relation.oid::regclass)
FROM pg_class AS relation
WHERE relation.relnamespace = 'public'::regnamespace AND relation.relname = ANY(%(relations)s::text[])
    AND has_table_privilege(relation.oid, 'INSERT, UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT 'sees the tables of the schema greenstream' WHERE has_schema_privilege('greenstream', 'USAGE')

-- name: reader_lacks
-- What a role can't do that a reader must.
SELECT format('CONNECT on the database %%s', current_database())
WHERE NOT has_database_privilege(%(role)s, current_database(), 'CONNECT')
UNION ALL
SELECT 'USAGE on the schema public'
WHERE NOT has_schema_privilege(%(role)s, 'public', 'USAGE')
UNION ALL
SELECT 'SELECT on ' || relation
FROM unnest(%(relations)s::text[]) AS relation
WHERE NOT has_table_privilege(%(role)s, 'public.' || relation, 'SELECT')

-- name: reader_ready
-- Whether our reader can log in and read all relations, and neither it nor PUBLIC can do more; no row without the role.
SELECT
    role.rolcanlogin
    AND NOT (role.rolsuper OR role.rolcreatedb OR role.rolcreaterole OR role.rolreplication OR role.rolbypassrls)
    AND role.rolconnlimit = %(connections)s
    AND coalesce(role.rolconfig @> %(settings)s::text[], false)
    AND has_database_privilege(role.oid, current_database(), 'CONNECT')
    AND NOT EXISTS (
        SELECT FROM unnest(%(relations)s::text[]) AS relation
        WHERE NOT coalesce(has_table_privilege(role.oid, to_regclass('public.' || relation), 'SELECT'), false)
    )
FROM pg_roles AS role
WHERE role.rolname = %(role)s

-- name: readers
-- The roles that were given each of our relations that are there.
SELECT role.rolname
FROM pg_class AS relation
CROSS JOIN LATERAL aclexplode(relation.relacl) AS given
JOIN pg_roles AS role ON role.oid = given.grantee
WHERE relation.relnamespace = 'public'::regnamespace AND relation.relname = ANY(%(relations)s::text[])
    AND given.privilege_type = 'SELECT' AND given.grantee <> relation.relowner
GROUP BY role.rolname
HAVING count(DISTINCT relation.oid) = (
    SELECT count(*) FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relname = ANY(%(relations)s::text[])
)
ORDER BY role.rolname

-- name: relation_exists
SELECT to_regclass(%(relation)s) IS NOT NULL

-- name: role_exists
SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %(role)s)

-- name: version
SELECT version_num FROM public.greenstream_version
