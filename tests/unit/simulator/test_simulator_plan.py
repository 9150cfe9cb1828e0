from datetime import date

import pytest

from greenstream.domain.errors import SettingsError
from greenstream.simulator import PRESETS, SimulationPlan, scaled, without
from greenstream.simulator.faults import KINDS


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"meters": 0}, "meters"),
        ({"days": 0}, "days"),
        ({"start": date(1999, 1, 1)}, "1999"),
        ({"seed": -1}, "seed"),
        ({"timezone": "Europe/Atlantis"}, "Atlantis"),
        ({"interval_minutes": 7}, "7 minutes"),
        ({"interval_minutes": 0}, "0 minutes"),
        ({"meters": 5, "regions": 6}, "regions"),
        ({"residential_share": 1.1}, "residential_share"),
        ({"layout": "weekly"}, "snapshot, gateway-day"),
        ({"timestamps": "lunar"}, "wall, utc"),
        ({"compression": "rar"}, "none, gz, zst"),
        ({"meters_per_gateway": 0}, "meters_per_gateway"),
        ({"faults": {"gremlins": 0.1}}, "gremlins"),
        ({"faults": {"spike": 1.5}}, "rates"),
        ({"meters": 3_000_000, "regions": 1}, "more regions"),
        ({"meters": 50_000, "meters_per_gateway": 50_000, "layout": "gateway-day"}, "fewer meters_per_gateway"),
        ({"meters": 1_000_000, "faults": {"correction": 0.5}}, "corrections"),
    ],
)
def test_a_plan_that_cannot_be_run_is_refused_with_its_reason(wrong: dict[str, object], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        SimulationPlan(**wrong)


def test_the_clean_preset_has_no_faults_and_the_others_have_all() -> None:
    assert PRESETS["clean"] == {}
    assert set(PRESETS["default"]) == set(PRESETS["demo"]) == set(KINDS)


def test_every_fault_says_what_it_is() -> None:
    assert all(kind.summary.endswith(".") for kind in KINDS.values())
    assert all(0 < kind.rate <= kind.demo_rate <= 0.02 for kind in KINDS.values())


def test_rates_can_be_scaled_and_kinds_left_out() -> None:
    assert scaled({"spike": 0.2, "gap": 0.4}, 3) == {"spike": pytest.approx(0.6), "gap": 1.0}
    assert without({"spike": 0.2, "gap": 0.4}, "gap") == {"spike": 0.2}
