"""The ports fitted to PostgreSQL, object stores, queues and channels."""
