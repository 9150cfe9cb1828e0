-- Loads into the day hold it shared until they are committed; new ones wait.
SELECT day FROM greenstream.day WHERE day = %(day)s FOR UPDATE
