"""GreenStream: smart-meter files become readings a utility can trust."""

__version__ = "0.1.0"
