"""The only room that chooses adapters: a place, and what can be asked of it, a group a column."""

from greenstream.wiring.place import Place, utc_now

__all__ = ["Place", "utc_now"]
