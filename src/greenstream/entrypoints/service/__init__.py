"""The long-running processes: `up`, and its parts `watch` and `worker`."""

from greenstream.entrypoints.service.service import Part, Service

__all__ = ["Part", "Service"]
