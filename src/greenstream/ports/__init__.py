"""What the pipeline needs from the outside. Adapters fit these; `wiring` chooses them."""

from greenstream.ports.alerting import AlertBook, Channel
from greenstream.ports.history import (
    Finding,
    FindingCount,
    Fleet,
    History,
    Registered,
    Rescheduled,
    Scope,
    ScoreChange,
    Unwatched,
    WatchedMeters,
)
from greenstream.ports.lake import DayReader, DayWriter, Lake, Thawing, Written
from greenstream.ports.landing import Clock, LandedFile, Landing
from greenstream.ports.loading import Database, Load, Stored, StoredRows
from greenstream.ports.querying import QueryLimits
from greenstream.ports.queueing import Queue, Waiting
from greenstream.ports.replays import LoadedDelivery, Rejudging, Replay, Replays, Reprocessing, RowChoice, WaitingRows
from greenstream.ports.retention import (
    Archives,
    DayFacts,
    DaySnapshot,
    Deletion,
    Erasures,
    LandedCopy,
    Layer,
    Lifetimes,
    LoadedFile,
    Retiring,
    ToErase,
)

__all__ = [
    "AlertBook",
    "Archives",
    "Channel",
    "Clock",
    "Database",
    "DayFacts",
    "DayReader",
    "DaySnapshot",
    "DayWriter",
    "Deletion",
    "Erasures",
    "Finding",
    "FindingCount",
    "Fleet",
    "History",
    "Lake",
    "LandedCopy",
    "LandedFile",
    "Landing",
    "Layer",
    "Lifetimes",
    "Load",
    "LoadedDelivery",
    "LoadedFile",
    "QueryLimits",
    "Queue",
    "Registered",
    "Rejudging",
    "Replay",
    "Replays",
    "Reprocessing",
    "Rescheduled",
    "Retiring",
    "RowChoice",
    "Scope",
    "ScoreChange",
    "Stored",
    "StoredRows",
    "Thawing",
    "ToErase",
    "Unwatched",
    "Waiting",
    "WaitingRows",
    "WatchedMeters",
    "Written",
]
