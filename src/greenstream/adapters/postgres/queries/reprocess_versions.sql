-- Whoever processed the file by now; and how many loads said another version.
WITH file AS (
    UPDATE greenstream.source_file SET pipeline_version = %(version)s
    WHERE source_file_id = %(source_file_id)s AND pipeline_version <> %(version)s
)
UPDATE greenstream.load SET pipeline_version = %(version)s
WHERE source_file_id = %(source_file_id)s AND pipeline_version <> %(version)s
