-- What else is known of it.
WITH days AS (DELETE FROM greenstream.meter_day WHERE meter_key = %(meter_key)s),
reliability AS (DELETE FROM greenstream.meter_reliability WHERE meter_key = %(meter_key)s),
superseded AS (DELETE FROM greenstream.superseded_reading WHERE meter_key = %(meter_key)s),
thawed AS (DELETE FROM greenstream.thawed WHERE meter_key = %(meter_key)s),
unwatched AS (
    UPDATE greenstream.unwatched SET meters = array_remove(meters, %(meter_key)s::integer)
    WHERE %(meter_key)s::integer = ANY(meters)
),
activity AS (DELETE FROM greenstream.meter_activity WHERE meter_key = %(meter_key)s)
SELECT
