from tests.support.alone import stays_alone

__all__ = ["stays_alone"]
