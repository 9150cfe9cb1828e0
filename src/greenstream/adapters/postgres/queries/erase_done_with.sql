UPDATE greenstream.source_file SET to_erase = false WHERE path = %(path)s
