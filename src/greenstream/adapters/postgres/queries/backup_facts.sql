SELECT
    current_setting('server_version') AS server_version,
    current_setting('server_version_num')::integer / 10000 AS major,
    pg_export_snapshot() AS snapshot,
    transaction_timestamp() AS taken_at
