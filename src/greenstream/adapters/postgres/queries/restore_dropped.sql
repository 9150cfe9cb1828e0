SELECT
    (SELECT count(*) FROM greenstream.meter) AS meters,
    count(*) AS files,
    coalesce(sum(stored), 0)::bigint AS stored,
    max(processed_at) AS newest
FROM greenstream.source_file
