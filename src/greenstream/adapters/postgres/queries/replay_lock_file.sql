SELECT FROM greenstream.source_file WHERE source_file_id = %(source_file_id)s FOR NO KEY UPDATE
