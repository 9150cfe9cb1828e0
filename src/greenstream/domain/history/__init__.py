"""The rules over a meter's past."""
