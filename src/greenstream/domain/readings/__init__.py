"""The shapes of rows, and how a row is judged."""
