-- What came last under a path, and how it ended.
SELECT source_file_id, outcome FROM greenstream.source_file WHERE path = %(path)s ORDER BY source_file_id DESC LIMIT 1
