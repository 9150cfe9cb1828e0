"""Everything that can be asked of GreenStream, one use-case a file."""
