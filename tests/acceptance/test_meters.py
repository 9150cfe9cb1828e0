"""`greenstream meters`."""

import pytest
from tests.acceptance.conftest import HEADER, Command

ROSTER = "Commissioned; METER_ID ;location;decommissioned;remark\n"


def test_a_roster_is_taken_in_and_its_bad_lines_are_named(greenstream: Command) -> None:
    greenstream("ingest", greenstream.file("a.csv", HEADER + "RO-1,2024-03-15 18:45:00,1 kW,,Commercial_Zone_2\n"))
    lines = [
        "2024-01-01;RO-1;Residential_Zone_7;;",
        "2024-01-01; RO-2 ;Residential_Zone_7;9999-12-31;x",
        "",
        "2024-02-30;RO-3;;;",
        "2024-01-01;n/a;;;",
        "2024-01-01;RO-4;;2023-12-31;",
        "2024-01-01;RO-5;;",
        "2024-01-01;RO-2;Residential_Zone_8;;",
        "2024-01-01;RO-6;;2024-02-01;",
        "2024-01-01;RO-\xe9;;;",
        '2024-01-01;"RO-7;;;',
        f"2024-01-01;{'R' * 65};;;",
    ]
    name = greenstream.file("roster.csv", (ROSTER + "\n".join(lines)).encode("latin-1"))
    ended = greenstream("meters", "import", name, "--json", code=1)
    report = ended.json
    assert {key: report[key] for key in ("file", "lines", "registered", "changed", "unchanged", "bad")} == {
        "file": "roster.csv",
        "lines": 11,
        "registered": 2,
        "changed": 1,
        "unchanged": 0,
        "bad": 8,
    }
    assert [line["line_number"] for line in report["bad_lines"]] == [5, 6, 7, 8, 9, 11, 12, 13]
    assert "columns that are not read: remark" in ended.err
    assert "roster.csv line 5: commissioned '2024-02-30' is no date as YYYY-MM-DD" in ended.err
    assert "roster.csv line 9: RO-2 is on line 3 already" in ended.err
    listed = {row["meter_id"]: row for row in greenstream("meters", "list", "--json", code=0).json}
    assert listed["RO-1"]["location"] == "Commercial_Zone_2"
    assert (listed["RO-2"]["status"], listed["RO-2"]["location"]) == ("silent", "Residential_Zone_7")
    assert (listed["RO-2"]["commissioned"], listed["RO-2"]["decommissioned"]) == ("2024-01-01", None)
    assert (listed["RO-6"]["status"], listed["RO-6"]["decommissioned"]) == ("active", "2024-02-01")
    assert listed["RO-1"]["last_seen_at"] == "2024-03-15T18:45:00+00:00"


def test_meters_can_be_listed_by_status(greenstream: Command) -> None:
    name = greenstream.file("roster.csv", "meter_id,commissioned\nLI-1,2024-01-01\nLI-2,2024-01-01\n")
    assert (
        "2 lines = 2 registered + 0 changed + 0 unchanged + 0 bad" in greenstream("meters", "import", name, code=0).out
    )
    assert "= 0 registered + 0 changed + 2 unchanged" in greenstream("meters", "import", name, code=0).out
    out = greenstream("meters", "list", "--status", "silent", code=0).out
    assert ["LI-1", "silent", "2024-01-01", "never"] in [line.split() for line in out.splitlines()]
    assert "LI-1" not in greenstream("meters", "list", "--status", "faulty", code=0).out
    assert greenstream("meters", "list", "--status", "odd", code=2).out == ""


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("roster.txt", "meter_id\n", "BAD_EXTENSION"),
        ("roster.csv", "", "EMPTY_FILE"),
        ("roster.csv", "meter,from\n", "the header needs meter_id"),
        ("roster.csv", b"meter_id,\xff\n", "isn't UTF-8 text"),
        ("roster.csv.gz", b"x", "CORRUPT_ARCHIVE"),
    ],
)
def test_a_file_that_is_no_roster_is_refused_in_a_line(
    greenstream: Command, name: str, content: str | bytes, said: str
) -> None:
    ended = greenstream("meters", "import", greenstream.file(name, content), code=1)
    [line] = ended.err.splitlines()
    assert line.startswith("error: FileRejected: ")
    assert said in line
    assert ended.out == ""


def test_a_roster_that_is_not_there_is_named(greenstream: Command) -> None:
    [line] = greenstream("meters", "import", "absent.csv", code=1).err.splitlines()
    assert line == "error: NotFound: absent.csv: no such file"
