"""The command line. `main` is the entry point."""

from greenstream.entrypoints.cli.app import main

__all__ = ["main"]
