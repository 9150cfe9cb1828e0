SELECT load_id, day, first_at, last_at, meters FROM greenstream.unwatched ORDER BY load_id, day
