"""The read side: what can be asked of GreenStream, and how answers become JSON."""
