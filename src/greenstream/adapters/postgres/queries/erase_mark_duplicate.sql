-- The same content was loaded before, and some of it erased since.
UPDATE greenstream.source_file f SET to_erase = true
WHERE f.path = %(path)s
  AND f.version = %(version)s
  AND f.sha256 = %(sha256)s
  AND f.outcome = 'duplicate'
  AND EXISTS (
      SELECT FROM greenstream.source_file o
      WHERE o.sha256 = f.sha256 AND o.outcome = 'loaded' AND (o.raw_sha256 IS NOT NULL OR o.to_erase)
  )
