-- Whoever loads at this moment ends before, or notices that the meter is gone and starts anew.
LOCK TABLE greenstream.meter_activity IN SHARE ROW EXCLUSIVE MODE
