"""The history rules, settling, and the roster."""
