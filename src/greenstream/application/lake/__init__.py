"""Archive, verification, retention."""
