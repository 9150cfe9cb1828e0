"""PostgreSQL behind the ports, a room a column; the SQL is in `queries/`."""
