-- When a version was first seen: by an attempt that failed, or by the intake; its rights may have changed since.
SELECT coalesce(
    (
        SELECT min(received_at)
        FROM greenstream.source_file
        WHERE path = %(path)s
          AND outcome = 'failed'
          AND (version = %(version)s OR modified_at = %(modified_at)s AND size_bytes = %(size_bytes)s)
    ),
    (
        SELECT received_at
        FROM greenstream.waiting_file
        WHERE path = %(path)s
          AND (version = %(version)s OR modified_at = %(modified_at)s AND size_bytes = %(size_bytes)s)
    )
)
