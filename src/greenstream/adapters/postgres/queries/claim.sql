-- The content hash is claimed by the row that says the file is loaded: whoever comes second waits for the first one's
-- transaction, and gets no row if that commits.
INSERT INTO greenstream.source_file
    (path, sha256, size_bytes, outcome, received_at, modified_at, version, processed_at, pipeline_version)
VALUES
    (%(path)s, %(sha256)s, %(size_bytes)s, 'loaded', %(received_at)s, %(modified_at)s, %(version)s, %(processed_at)s,
     %(pipeline_version)s)
ON CONFLICT DO NOTHING
RETURNING source_file_id
