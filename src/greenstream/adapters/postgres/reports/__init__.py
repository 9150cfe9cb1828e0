"""Reading: the state of everything stored, lists, people's SQL, gauges."""
