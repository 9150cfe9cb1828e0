"""What README, tutorial and how-to show is what happens, with the real command in an empty folder."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = [
    path
    for path in sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
    if BLOCK.search(path.read_text(encoding="utf-8"))
]
TYPES = {
    "timestamp with time zone": "timestamptz",
    "ARRAY": "text[]",
}


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that other users can enter, as a server started by root needs; its server is stopped."""
    made = Path(tempfile.mkdtemp(prefix="gs-docs-"))
    made.chmod(0o755)
    try:
        yield made
    finally:
        run("greenstream down", made)
        rmtree(made)


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("GREENSTREAM_")}
    path = os.pathsep.join([str(Path(sys.executable).parent), ours.get("PATH", "")])
    return subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=folder,
        env={**ours, "PATH": path, "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def steps(page: Path) -> list[tuple[str, list[str]]]:
    """Each command of a page, and the lines of output that are shown for it."""
    found: list[tuple[str, list[str]]] = []
    for line in "".join(BLOCK.findall(page.read_text(encoding="utf-8"))).splitlines():
        if found and _goes_on(found[-1][0]):
            found[-1] = (f"{found[-1][0]}\n{line}", [])
        elif line.startswith("$ "):
            found.append((line.removeprefix("$ "), []))
        elif line.strip() and line.strip() != "…":
            found[-1][1].append(line)
    return found


def _goes_on(command: str) -> bool:
    """Whether a command writes a file of the lines up to END."""
    return "<<'END'" in command and not command.endswith("\nEND")


def shows(output: str, line: str) -> bool:
    """Whether a line of the output looks like this one: `…` stands for anything, blanks for any blanks."""
    parts = [r"\s+".join(re.escape(word) for word in part.split()) for part in line.split("…")]
    return any(re.search(r"\s*.*?\s*".join(parts), each.strip()) for each in output.splitlines())


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_what_a_page_shows_is_what_happens(page: Path, folder: Path) -> None:
    for command, lines in steps(page):
        done = run(command, folder)
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        assert [line for line in lines if not shows(done.stdout, line)] == [], f"{command}\n{done.stdout}"


def test_the_page_of_relations_has_each_column_of_the_database(folder: Path) -> None:
    sql = (
        "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
        " AND table_name <> 'greenstream_version' ORDER BY table_name, ordinal_position"
    )
    run("greenstream db migrate", folder)
    found = run(f'greenstream query --quiet --format json "{sql}"', folder)
    columns = [
        (row["table_name"], row["column_name"], TYPES.get(row["data_type"], row["data_type"]))
        for row in json.loads(found.stdout)
    ]
    assert by_table(documented()) == by_table(columns)


def documented() -> list[tuple[str, str, str]]:
    """Table, column and type of each row of the page of relations."""
    text = (ROOT / "docs/reference/relations.md").read_text(encoding="utf-8")
    sections = re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    rows = [(name, re.findall(r"^\| `(\w+)` \| ([^|]+) \|", body, re.MULTILINE)) for name, body in sections]
    return [(name, column, type_.strip()) for name, columns in rows for column, type_ in columns]


def by_table(columns: list[tuple[str, str, str]]) -> dict[str, list[tuple[str, str]]]:
    tables: dict[str, list[tuple[str, str]]] = {}
    for table, column, type_ in columns:
        tables.setdefault(table, []).append((column, type_))
    return tables
