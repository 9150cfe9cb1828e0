-- The statements that take from PUBLIC what a reader could disturb others with; none once they have run.
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', datname)
FROM pg_database
WHERE datname IN (current_database(), 'postgres', 'template1')
    AND (has_database_privilege('public', oid, 'CONNECT') OR has_database_privilege('public', oid, 'TEMPORARY'))
UNION ALL
SELECT 'REVOKE CREATE ON SCHEMA public FROM PUBLIC'
WHERE has_schema_privilege('public', 'public', 'CREATE')
UNION ALL
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', oid::regprocedure)
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
