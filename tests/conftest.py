"""How long a test may take depends on the machine, so no example has a deadline."""

from hypothesis import settings

settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")
