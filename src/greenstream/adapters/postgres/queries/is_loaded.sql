SELECT EXISTS (SELECT FROM greenstream.source_file WHERE sha256 = %(sha256)s AND outcome = 'loaded')
