"""The house is described where newcomers look."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "src" / "greenstream"


def named() -> str:
    return (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def test_contributing_names_every_room():
    rooms = [path.parent.relative_to(SOURCES).as_posix() for path in SOURCES.rglob("__init__.py")]
    floors = {
        room for room in rooms if room != "." and room.count("/") <= 1 and not room.startswith("adapters/postgres/")
    }
    assert {room for room in floors - {"adapters", "entrypoints"} if f"`{room}`" not in named()} == set()


def test_contributing_names_every_folder_of_tests():
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert {folder for folder in folders if f"`{folder}`" not in named()} == set()


def test_what_the_page_of_parts_names_exists():
    page = (ROOT / "docs/explanation/parts.md").read_text("utf-8")
    paths = {word for word in page.split("`")[1::2] if "/" in word and " " not in word}
    missing = {path for path in paths if not (SOURCES / path).exists() and not (ROOT / path).exists()}
    assert missing - {"raw-data/"} == set()
