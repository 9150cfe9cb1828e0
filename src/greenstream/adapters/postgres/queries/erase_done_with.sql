UPDATE greenstream.source_file SET to_erase = false WHERE source_file_id = %(source_file_id)s
