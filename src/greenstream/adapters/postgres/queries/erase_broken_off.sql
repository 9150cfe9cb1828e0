SELECT path, encode(rewriting_sha256, 'hex') FROM greenstream.source_file WHERE rewriting_sha256 IS NOT NULL
