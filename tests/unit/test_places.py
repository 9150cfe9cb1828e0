"""Which keys are landed files, and what becomes of all others."""

import pytest

from greenstream.adapters.storage.landing_keys import Place, check_landed, is_landed, placed
from greenstream.adapters.storage.names import escape, landing_text
from greenstream.domain.errors import InvalidKey

DAY = "raw-data/2026-11-28"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "f.csv",
            "day 1.csv",
            " .csv",
            "a+b.csv",
            "100%.csv",
            "a%20b.csv",
            "a%0Ab.csv",
            "zähler-€-😀.csv",
            "a\\b.csv",
        ),
        *("a\\b.csv", "a?b#c&d.csv", "f", "e\u0301.csv", "\u2028.csv", "f" * 1000),
    ],
)
def test_a_complete_name_directly_in_a_days_folder_is_a_landed_file(name):
    assert is_landed(f"{DAY}/{name}")


@pytest.mark.parametrize("name", ["f.csv", "day 1.csv", "2026-11-28"])
def test_a_file_beside_the_folders_of_days_is_to_be_filed(name):
    assert placed(f"raw-data/{name}").place is Place.DROP


@pytest.mark.parametrize(
    "key",
    [
        *("raw-data/", f"{DAY}/", f"{DAY}/.f.csv", f"{DAY}/f.csv.part", f"{DAY}/F.CSV.TMP", f"{DAY}/f.csv#1"),
        *("raw-data/.f.csv", "raw-data/f.csv.partial", f"{DAY}/.staging/f.csv", "raw-data/.greenstream-1/f.csv"),
    ],
)
def test_what_is_hidden_or_under_way_is_left_alone_in_silence(key):
    assert placed(key).place is Place.IGNORED


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("raw-data/incoming/x.csv", "isn't named like a day"),
        ("raw-data/incoming/", "isn't named like a day"),
        ("raw-data/20261128/x.csv", "isn't named like a day"),
        ("raw-data/2026-13-01/x.csv", "isn't named like a day"),
        (f"{DAY}/sub/x.csv", "a folder within a day's folder"),
        (f"{DAY}/sub/", "a folder within a day's folder"),
        (f"{DAY}//x.csv", "is empty, or all dots"),
        (f"{DAY}//", "is empty, or all dots"),
        ("raw-data//x.csv", "is empty, or all dots"),
        ("raw-data/./x.csv", "is empty, or all dots"),
        (f"{DAY}/..", "is empty, or all dots"),
        (f"{DAY}/../x.csv", "is empty, or all dots"),
        (f"{DAY}/a\nb.csv", "control character"),
        (f"{DAY}/a\x00b.csv", "control character"),
        (f"{DAY}/\x85.csv", "control character"),
        (f"{DAY}/\ufffe.csv", "control character"),
        ("quarantine/2026-11-28/x.csv", "doesn't lie in raw-data/"),
        ("raw-data", "doesn't lie in raw-data/"),
        ("", "is empty"),
    ],
)
def test_anything_else_is_a_stray_and_says_why(key, why):
    found = placed(key)

    assert found.place is Place.STRAY
    assert why in found.why


@pytest.mark.parametrize("key", ["raw-data/x.csv", "raw-data/incoming/x.csv", f"{DAY}/x.csv.part", f"{DAY}/a\nb.csv"])
def test_what_is_no_landed_file_is_refused_by_its_key_in_one_line(key):
    with pytest.raises(InvalidKey, match="is no landed file") as caught:
        check_landed(key)

    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", ["a\nb.csv", ".hidden", "f.part", "\udcff.csv", "...", "a\\b.csv", "%41"])
def test_the_key_that_any_name_lands_under_is_one(name):
    assert is_landed(f"{DAY}/{escape(landing_text(name))}")
