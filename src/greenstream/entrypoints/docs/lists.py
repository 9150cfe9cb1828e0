"""Tables of the program's own lists: codes, settings, errors."""

from collections.abc import Iterator

from greenstream.domain.codes import Reason, Rejection
from greenstream.domain.errors import GreenStreamError, PermanentError, RetryableError
from greenstream.domain.ledger import Outcome
from greenstream.domain.limits import describe
from greenstream.entrypoints.docs.markdown import code, table
from greenstream.entrypoints.service.metrics import described
from greenstream.settings import ENV_PREFIX, PlaceSettings, Settings

REASONS = {
    Reason.BAD_EXTENSION: "the name ends in none of `.csv`, `.csv.gz`, `.csv.zst`, in any case",
    Reason.EMPTY_FILE: "0 bytes, or an archive that holds 0 bytes",
    Reason.TOO_LARGE: "more bytes than `GREENSTREAM_MAX_FILE_BYTES`, or than `GREENSTREAM_MAX_CONTENT_BYTES` once"
    " decompressed (an archive is read no further than that); a header of more bytes than"
    " `GREENSTREAM_MAX_LINE_BYTES` or more columns than `GREENSTREAM_MAX_COLUMNS`; a line of more than 128 MiB."
    " Of a file above the first limit nothing is read, and nothing copied to the quarantine",
    Reason.CORRUPT_ARCHIVE: "gzip or zstd that is cut off, damaged, or followed by something else",
    Reason.BAD_ENCODING: "the first line isn't UTF-8, or holds control characters",
    Reason.MISSING_COLUMN: "the first line lacks `meter_id`, `timestamp` or `energy_value`, whatever the delimiter",
}

REJECTIONS = {
    Rejection.MALFORMED_ROW: "the number of fields isn't that of the header, the quoting is broken, a byte isn't UTF-8,"
    " there is a control character (U+0000–U+001F but the tab, and U+007F), the line has more bytes than"
    " `GREENSTREAM_MAX_LINE_BYTES`, or a field but `meter_id` more characters than `GREENSTREAM_MAX_FIELD_CHARS`",
    Rejection.MISSING_METER_ID: "`meter_id` is null, or longer than `GREENSTREAM_MAX_METER_ID_CHARS`",
    Rejection.TIMESTAMP_UNRECOVERABLE: "the timestamp can't be read, and can't be inferred either",
    Rejection.TIMESTAMP_OUT_OF_RANGE: "the timestamp, read or inferred, is before `GREENSTREAM_EARLIEST_READING`, or"
    " more than `GREENSTREAM_MAX_FUTURE_MINUTES` after the time of processing",
}

OUTCOMES = {
    Outcome.LOADED: "its rows are stored, or were known, or are in `quarantined_rows`",
    Outcome.DUPLICATE: "the same bytes were loaded before, under whatever name; nothing is written but this line",
    Outcome.REJECTED: "a file check failed, `reason` says which; a copy lies in `quarantine/`, and there is an alert",
    Outcome.FAILED: "the program could not process it; it is in `dead_letters`, with the error, and there is an alert",
}


def reasons() -> str:
    return table(["reason", "a file is rejected when"], [[code(r), REASONS[r]] for r in Reason])


def rejections() -> str:
    return table(["code", "rule", "a row is rejected when"], [[code(r), r.rule_id, REJECTIONS[r]] for r in Rejection])


def outcomes() -> str:
    return table(["outcome", "meaning"], [[code(o), OUTCOMES[o]] for o in Outcome])


def settings() -> str:
    """Two tables: where things are, and the thresholds."""
    places = table(["setting", "default", "meaning"], _setting_rows(set(PlaceSettings.model_fields)))
    thresholds = table(
        ["setting", "default", "rule", "meaning"],
        [[_name(info.name), code(info.default), info.rule, info.meaning] for info in describe()],
    )
    return f"### Places and times\n\n{places}\n\n### Thresholds\n\n{thresholds}"


def metrics() -> str:
    rows = [[code(name), kind, ", ".join(map(code, labels)), meaning] for name, kind, labels, meaning in described()]
    return table(["metric", "type", "labels", "meaning"], rows)


def errors() -> str:
    """Both branches of the tree of errors."""
    return "\n\n".join(
        [
            f"### Retryable\n\n{RetryableError.__doc__}\n\n{_error_table(RetryableError)}",
            f"### Permanent\n\n{PermanentError.__doc__}\n\n{_error_table(PermanentError)}",
        ]
    )


def _setting_rows(names: set[str]) -> Iterator[list[str]]:
    for name, field in Settings.model_fields.items():
        if name in names:
            yield [_name(name), "none" if field.default is None else code(field.default), field.description or ""]


def _error_table(branch: type[GreenStreamError]) -> str:
    return table(["error", "meaning"], [[code(e.__name__), e.__doc__ or ""] for e in _below(branch)])


def _below(branch: type[GreenStreamError]) -> Iterator[type[GreenStreamError]]:
    for each in branch.__subclasses__():
        yield each
        yield from _below(each)


def _name(field: str) -> str:
    return code(ENV_PREFIX + field.upper())
