INSERT INTO greenstream.unwatched (load_id, day, first_at, last_at, meters)
VALUES (%(load_id)s, %(day)s, %(first_at)s, %(last_at)s, %(meters)s)
