"""From a landed file to stored readings."""
