INSERT INTO greenstream.load (source_file_id, processed_at, pipeline_version)
SELECT source_file_id, processed_at, %(version)s FROM greenstream.load WHERE load_id = %(load_id)s
RETURNING load_id
