"""The faces of GreenStream: each parses, calls a use-case, and prints."""
