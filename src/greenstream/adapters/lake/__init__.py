"""The lake's objects in a store, and SQL over them."""
