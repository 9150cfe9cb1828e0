UPDATE greenstream.day SET retired_at = coalesce(retired_at, %(now)s) WHERE day = %(day)s
