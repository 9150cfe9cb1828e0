-- The key of a meter, if it is known, and the erasure that was begun and isn't complete.
SELECT
    (SELECT meter_key FROM greenstream.meter WHERE meter_id = %(meter_id)s),
    (
        SELECT max(erasure_id) FROM greenstream.erasure
        WHERE meter_sha256 = decode(%(meter_sha256)s, 'hex') AND completed_at IS NULL
    )
