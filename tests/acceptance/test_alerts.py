"""`greenstream alerts`, the real command."""

from collections.abc import Iterator

import pytest
from tests.acceptance.conftest import Command
from tests.support.receivers import Webhook, webhook


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as hook:
        yield hook


def test_an_alert_is_listed_acknowledged_and_then_only_among_all(greenstream: Command) -> None:
    greenstream("ingest", greenstream.file("useless.csv", "x\n"), code=1)
    (alert,) = [a for a in greenstream("alerts", "list", "--json", code=0).json if "useless" in a["subject"]]
    assert (alert["code"], alert["severity"], alert["count"]) == ("FILE_REJECTED", "error", 1)
    assert greenstream("alerts", "ack", str(alert["alert_id"]), "--json", code=0).json == {
        "acknowledged": [alert["alert_id"]]
    }
    assert "useless" not in greenstream("alerts", code=0).out
    listed = greenstream("alerts", "--all", code=0).out
    assert any("useless" in line and line.endswith("acknowledged") for line in listed.splitlines())


def test_acknowledging_says_what_is_not_open(greenstream: Command) -> None:
    ended = greenstream("alerts", "ack", "987654", code=1)
    assert "no open alert has the ID 987654" in ended.err
    assert greenstream("alerts", "ack", code=2).out == ""
    assert greenstream("alerts", "ack", "1", "--all", code=2).out == ""


def test_a_test_message_goes_to_each_url(greenstream: Command, hook: Webhook) -> None:
    (sent,) = greenstream("alerts", "test", "--json", code=0, ALERT_URLS=hook.url).json_lines
    assert sent["sent"]
    assert hook.titles == ["[GreenStream] test"]
    hook.status = 500
    ended = greenstream("alerts", "test", code=1, ALERT_URLS=hook.url)
    assert "500" in ended.out
    assert "secret-word" not in ended.out + ended.err


def test_without_urls_there_is_nothing_to_test(greenstream: Command) -> None:
    assert "GREENSTREAM_ALERT_URLS is not set" in greenstream("alerts", "test", code=2).err


def test_urls_in_the_file_may_be_a_list_and_are_never_shown(greenstream: Command, hook: Webhook) -> None:
    greenstream.file("greenstream.toml", f'alert_urls = ["{hook.url}"]\n')
    greenstream("alerts", "test", code=0)
    greenstream.file("greenstream.toml", f'alert_url = "{hook.url}"\n')
    ended = greenstream("alerts", "test", code=1)
    assert "ALERT_URL" in ended.err
    assert "secret-word" not in ended.err
