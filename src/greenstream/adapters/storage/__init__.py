"""Files in a folder, on S3 or in memory: ``open_store("s3://bucket/prefix").land(file, day=today)``."""

from greenstream.adapters.storage.backend import LandedFile
from greenstream.adapters.storage.opening import open_store
from greenstream.adapters.storage.store import ObjectStore

__all__ = ["LandedFile", "ObjectStore", "open_store"]
