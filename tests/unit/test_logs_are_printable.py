"""What the services log holds nothing that a terminal could obey."""

import sys
from pathlib import Path

import pytest
from tests.unit.test_text import HIDDEN

from greenstream.entrypoints.service.logs import logger


@pytest.mark.parametrize("json", [False, True])
def test_no_event_holds_a_hidden_character_of_others(
    json: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "stderr"
    with told.open("w", encoding="utf-8") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        tell_nastily(json=json)
    said = told.read_text(encoding="utf-8")
    assert "\\u202e" in said
    assert set(said) & set(HIDDEN) <= {"\n"}


def tell_nastily(*, json: bool) -> None:
    log = logger(json=json)
    nasty = "".join(HIDDEN)
    try:
        raise ValueError(nasty)
    except ValueError:
        log.exception("failed", file=nasty, files=[nasty], error=nasty)
    log.info(nasty)
