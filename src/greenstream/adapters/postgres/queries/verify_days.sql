SELECT day FROM greenstream.day WHERE settled_at IS NOT NULL OR dirty_since IS NOT NULL ORDER BY day
