SELECT
    current_setting('server_version') AS version,
    current_setting('server_version_num')::integer / 10000 AS major,
    current_setting('server_encoding') AS encoding,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('fsync') AS fsync,
    current_setting('max_connections')::integer AS max_connections,
    (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
    current_user AS role,
    current_database() AS database,
    has_database_privilege(current_database(), 'CREATE') AS can_create_schemas,
    has_schema_privilege('public', 'CREATE') AS can_create_views,
    clock_timestamp() AS clock
