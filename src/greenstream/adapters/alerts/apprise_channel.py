"""Apprise behind the port `Channel`: mail, Slack, Teams, webhooks and a hundred more, each by its URL."""

import hashlib
import re
import warnings
from collections.abc import Sequence
from functools import cache
from types import ModuleType
from urllib.parse import quote, unquote

from greenstream.adapters.extras import needing
from greenstream.domain.alerts.notification import Message, one_line
from greenstream.domain.codes import Severity
from greenstream.domain.errors import NotInstalled

_KINDS = {Severity.INFO: "info", Severity.WARNING: "warning", Severity.ERROR: "failure"}
_SECRET_CHARS = 4


class AppriseChannel:
    """A channel named for its kind and a digest of its URL, which is a secret."""

    def __init__(self, url: str) -> None:
        self._url = url
        kind = re.match(r"([A-Za-z][A-Za-z0-9]{0,19})://", url)  # what has no scheme may be a piece of a password
        digest = hashlib.sha256(url.encode()).hexdigest()[:6]
        self.name = f"{kind[1].lower() if kind else 'channel'}-{digest}"

    def send(self, message: Message) -> str | None:
        try:
            apprise = _apprise()
        except NotInstalled as error:
            return str(error)
        try:
            to = apprise.Apprise(asset=apprise.AppriseAsset(app_id="GreenStream", app_desc="GreenStream", app_url=""))
            if not to.add(self._url):
                return "its URL in GREENSTREAM_ALERT_URLS isn't understood, see `docs/how-to/alerts.md`"
            result = to.notify(
                title=message.title,
                body=message.body,
                notify_type=apprise.NotifyType(_KINDS[message.severity]),
                body_format=apprise.NotifyFormat.TEXT,
            )
            said = [log.message for each in result for attempt in each for log in attempt.logs]
        except Exception as error:  # whatever a service's plugin raises, the others go on
            return self._without_secrets(f"{type(error).__name__}: {error}")
        return None if result else self._without_secrets("; ".join(said) or "it was not taken, without a reason")

    def _without_secrets(self, text: str) -> str:
        """What a service says may quote the URL."""
        parts = re.split(r"[/:@?&=#,]+", self._url.partition("://")[2])
        forms = {form for part in parts for form in (part, unquote(part), quote(unquote(part), safe=""))}
        for secret in sorted((form for form in forms if len(form) >= _SECRET_CHARS), key=len, reverse=True):
            text = text.replace(secret, "…")
        return one_line(text)


def channels(urls: str) -> Sequence[AppriseChannel]:
    """A channel for each of the URLs, which blanks separate."""
    return [AppriseChannel(url) for url in dict.fromkeys(urls.split())]


@cache
def _apprise() -> ModuleType:
    """Apprise takes most of a second to import with its services, and warns of what Python will drop."""
    with warnings.catch_warnings(), needing("alerts", "sending alerts"):
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise

        apprise.Apprise().add("json://localhost")
    return apprise
