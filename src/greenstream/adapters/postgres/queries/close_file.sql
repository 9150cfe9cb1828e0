UPDATE greenstream.source_file
SET rows = %(rows)s, stored = %(stored)s, duplicate = %(duplicate)s, rejected = %(rejected)s,
    ignored_columns = %(ignored_columns)s
WHERE source_file_id = %(source_file_id)s
