"""How often the parts of a service look, in seconds; and what they log to."""

import structlog

TICK_SECONDS = 0.2
MINUTE_SECONDS = 60.0

Log = structlog.stdlib.BoundLogger
