-- What a few meters ever sent is found without looking at all others' days.
CREATE INDEX meter_day_by_meter ON greenstream.meter_day (meter_key, day);
