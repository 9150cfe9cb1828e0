"""Limits that can't be kept exactly are refused, by name."""

import pytest

from greenstream.domain.errors import SettingsError
from greenstream.settings import load_settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_abs_kw", "1000000001"),
        ("spike_window_slots", "32768"),
        ("stuck_window_slots", "0"),
        ("stuck_max_variance", "nan"),
        ("max_missing_share", "inf"),
    ],
)
def test_a_limit_that_cant_be_kept_exactly_is_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"GREENSTREAM_{name.upper()}", value)
    with pytest.raises(SettingsError, match=name):
        load_settings()


def test_any_other_limit_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENSTREAM_MAX_KW", "1000000000")
    assert load_settings().limits.max_kw == 10**9
