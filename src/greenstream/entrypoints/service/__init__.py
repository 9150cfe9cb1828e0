"""The long-running processes: `up`, and its parts `watch` and `worker`."""

from greenstream.entrypoints.service.supervisor import Part, Supervisor

__all__ = ["Part", "Supervisor"]
