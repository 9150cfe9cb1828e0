SELECT day, dirty_since, settled_at, archived_at, retired_at FROM greenstream.day WHERE day = %(day)s
