-- Local days that ended and were touched since they were settled.
SELECT day FROM greenstream.day WHERE day < %(today)s AND dirty_since IS NOT NULL ORDER BY day
