"""A PostgreSQL of our own under GREENSTREAM_HOME, started when needed and shared by all processes."""

from greenstream.adapters.postgres.embedded.binaries import Binaries, installed
from greenstream.adapters.postgres.embedded.homeless import Homeless, homeless
from greenstream.adapters.postgres.embedded.server import EmbeddedServer, ServerInfo, ServerStatus

__all__ = ["Binaries", "EmbeddedServer", "Homeless", "ServerInfo", "ServerStatus", "homeless", "installed"]
