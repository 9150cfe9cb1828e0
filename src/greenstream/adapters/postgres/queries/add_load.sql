INSERT INTO greenstream.load (source_file_id, processed_at, pipeline_version)
VALUES (%(source_file_id)s, %(processed_at)s, %(version)s)
RETURNING load_id
