"""The meters, their past, their findings."""
