DELETE FROM greenstream.waiting_file WHERE path = %(path)s
