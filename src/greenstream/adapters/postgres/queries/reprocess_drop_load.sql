DELETE FROM greenstream.load WHERE load_id = %(load_id)s
