"""Reading: people's SQL, gauges."""
