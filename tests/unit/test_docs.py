"""The documentation is true: generated blocks are fresh, links lead somewhere, nothing is left out."""

import re
from pathlib import Path

import pytest

from greenstream.domain.limits import describe
from greenstream.entrypoints.docs.pages import BLOCKS, filled, pages
from greenstream.entrypoints.docs.rules import anchor

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", [path for path, _ in pages(ROOT / "docs")], ids=named)
def test_generated_blocks_are_fresh(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == filled(text), "run `make docs`"


def test_each_block_is_in_some_page() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in PAGES)
    assert [name for name in BLOCKS if f"<!-- generated: {name} -->" not in text] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_links_lead_to_a_heading_of_a_page_that_is_there(page: Path) -> None:
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    links = [link for link in LINK.findall(text) if "://" not in link]
    assert [link for link in links if not leads_somewhere(page, link)] == []


def leads_somewhere(page: Path, link: str) -> bool:
    name, _, fragment = link.partition("#")
    target = page if not name else page.parent / name
    if not fragment:
        return target.exists()
    headings = HEADING.findall(FENCED.sub("", target.read_text(encoding="utf-8")))
    return fragment in [anchor(heading) for heading in headings]


def test_each_page_is_reached_from_the_readme() -> None:
    reached, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop().resolve()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            links = LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8")))
            todo += [page.parent / link.partition("#")[0] for link in links if "://" not in link and link[0] != "#"]
    assert [named(page) for page in PAGES if page not in reached] == []


def test_each_threshold_is_on_the_page_of_settings() -> None:
    text = (ROOT / "docs/reference/settings.md").read_text(encoding="utf-8")
    assert [limit.name for limit in describe() if f"`GREENSTREAM_{limit.name.upper()}`" not in text] == []


@pytest.mark.parametrize("target", re.findall(r"`make ([a-z]+)", (ROOT / "README.md").read_text(encoding="utf-8")))
def test_the_make_targets_of_the_readme_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
