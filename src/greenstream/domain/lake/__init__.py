"""The lake's objects, manifests and aggregates, and how long each layer keeps what it has."""
