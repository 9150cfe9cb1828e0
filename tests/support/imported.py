"""All of GreenStream and of what its tests fork: imported once, by the server that processes are forked from."""

import pkgutil
from importlib import import_module

import duckdb  # noqa: F401
import pytest  # noqa: F401  # it is the main module of the processes that ask
import tests.support.worker  # noqa: F401

import greenstream


def _import_all() -> None:
    for module in pkgutil.walk_packages(greenstream.__path__, "greenstream."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            import_module(module.name)


_import_all()
