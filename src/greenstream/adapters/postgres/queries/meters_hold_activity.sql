-- Whether a meter has a reading must not change while its location is corrected: loads wait with their last step.
LOCK TABLE greenstream.meter_activity IN SHARE MODE
