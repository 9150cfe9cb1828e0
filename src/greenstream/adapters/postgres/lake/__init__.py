"""Days on their way into the lake and out of the database."""
