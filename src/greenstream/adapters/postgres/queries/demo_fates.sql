-- What became of single lines of files: how often each fault ended in each way.
SELECT
    t.fault,
    CASE
        WHEN q.code IS NOT NULL THEN ARRAY[q.code]
        WHEN r.load_id IS NOT NULL THEN ARRAY['stored'] || f.codes
        ELSE ARRAY['duplicate']
    END AS fate,
    count(*) AS times
FROM unnest(%(faults)s::text[], %(sha256)s::text[], %(lines)s::bigint[]) AS t (fault, sha256, line_number)
JOIN greenstream.source_file s ON s.sha256 = decode(t.sha256, 'hex') AND s.outcome = 'loaded'
LEFT JOIN greenstream.quarantined_row q USING (source_file_id, line_number)
LEFT JOIN greenstream.load o USING (source_file_id)
LEFT JOIN greenstream.reading r ON r.load_id = o.load_id AND r.line_number = t.line_number
LEFT JOIN greenstream.flag_set f USING (flags)
GROUP BY 1, 2
