INSERT INTO greenstream.word (kind, code, word) VALUES (%(kind)s, %(code)s, %(word)s)
ON CONFLICT (kind, code) DO UPDATE SET word = excluded.word
