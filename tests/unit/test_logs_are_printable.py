"""What the services log holds nothing that a terminal could obey."""

import io
import sys

import pytest
from tests.unit.test_text import HIDDEN

from greenstream.entrypoints.service.logs import logger


@pytest.mark.parametrize("json", [False, True])
def test_no_event_holds_a_hidden_character_of_others(json: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stderr)
    log = logger(json=json)
    nasty = "".join(HIDDEN)
    try:
        raise ValueError(nasty)
    except ValueError:
        log.exception("failed", file=nasty, files=[nasty], error=nasty)
    log.info(nasty)
    said = stderr.getvalue()
    assert "\\u202e" in said
    assert set(said) & set(HIDDEN) <= {"\n"}
