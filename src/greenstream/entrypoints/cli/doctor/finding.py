"""What a check says, and how checks are run so that none of them can stop the doctor."""

from collections.abc import Callable, Iterable, Iterator

from greenstream.domain.reports.doctor import Finding, Level

Findings = Iterable[Finding]
Check = Callable[[], Findings]
"""Looks at one thing; may raise, which is a fault then."""


def ok(check: str, found: str) -> Finding:
    return Finding(check=check, level=Level.OK, found=found)


def warning(check: str, found: str, mend: str) -> Finding:
    return Finding(check=check, level=Level.WARNING, found=found, mend=mend)


def fault(check: str, found: str, mend: str) -> Finding:
    return Finding(check=check, level=Level.FAULT, found=found, mend=mend)


def examined(name: str, check: Check, *, mend: str) -> Iterator[Finding]:
    """The findings of a check; what it raises is a fault, with `mend` unless the error says itself what to do."""
    try:
        yield from check()
    except Exception as error:
        yield fault(name, _words(error), mend)


def _words(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    ours = type(error).__module__.startswith("greenstream.")  # by name: errors' own module needs packages to import
    return text if ours else f"{type(error).__name__}: {text}"
