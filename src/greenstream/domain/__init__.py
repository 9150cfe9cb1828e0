"""Pure: the rules, and what they are about. No I/O, no clock, no environment."""
