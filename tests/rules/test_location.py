"""location: customer class and region."""

import pytest
from tests.rules.rows import reading


@pytest.mark.parametrize(
    ("location", "customer_class", "region"),
    [
        ("Residential_Zone_7", "Residential", "Zone7"),
        ("Commercial_Zone_12", "Commercial", "Zone12"),
        (" Commercial_Zone_3 ", "Commercial", "Zone3"),
        ("Residential_Zone_0", "Residential", "Zone0"),
        ("Commercial_Zone_007", "Commercial", "Zone007"),
        ("Residential_Zone_123456", "Residential", "Zone123456"),
    ],
)
def test_class_and_number_are_taken_as_written(location: str, customer_class: str, region: str) -> None:
    only = reading(location=location)
    assert (only["customer_class"], only["region"]) == (customer_class, region)


@pytest.mark.parametrize(
    "location",
    [
        "", "n/a", "Residential_Zone_", "residential_Zone_7", "Residential_zone_7", "RESIDENTIAL_ZONE_7", "Zone7",
        "Industrial_Zone_7", "Residential_Zone_7a", "Residential_Zone_1234567", "Commercial_Zone_-1",
        "Residential_Zone_٧", "XResidential_Zone_7", "Residential_Zone_7 7", "Residential-Zone-7",
    ],
)  # fmt: skip
def test_anything_else_is_of_no_class_in_an_unknown_region(location: str) -> None:
    only = reading(location=location)
    assert (only["customer_class"], only["region"]) == (None, "Unknown")


def test_the_location_itself_is_kept_as_written() -> None:
    assert reading(location="Harbour")["location"] == "Harbour"
    assert reading(location="-")["location"] is None
