INSERT INTO greenstream.deletion (deleted_at, layer, subject, amount, reason)
VALUES (%(now)s, %(layer)s, %(subject)s, %(amount)s, %(reason)s)
