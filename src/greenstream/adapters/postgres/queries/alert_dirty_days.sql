SELECT day, dirty_since FROM greenstream.day WHERE dirty_since IS NOT NULL ORDER BY day
