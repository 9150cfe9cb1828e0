UPDATE greenstream.source_file SET rewriting_sha256 = NULL WHERE path = %(path)s AND rewriting_sha256 IS NOT NULL
