-- Loads into the day hold it shared until they are committed; new ones wait, and find that it isn't open any more.
SELECT day, dirty_since, settled_at, archived_at, retired_at FROM greenstream.day WHERE day = %(day)s FOR UPDATE
