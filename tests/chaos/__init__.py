"""Everything that can be killed is killed, at moments drawn from a seed; then every row must be there exactly once."""
