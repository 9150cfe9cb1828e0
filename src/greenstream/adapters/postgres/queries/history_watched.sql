DELETE FROM greenstream.unwatched WHERE load_id = ANY(%(loads)s)
