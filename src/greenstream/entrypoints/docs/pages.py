"""Which blocks there are, and how they get into the pages."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from greenstream.entrypoints.docs import answers, commands, lake, lists, rules

BLOCK = re.compile(r"(<!-- generated: ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)

BLOCKS: dict[str, Callable[[], str]] = {
    "rules": rules.sections,
    "rules-overview": rules.overview,
    "history-overview": rules.history_overview,
    "history-rules": rules.history_sections,
    "alerts": rules.alert_table,
    "score": rules.score_table,
    "grades": rules.grade_table,
    "rejections": lists.rejections,
    "reasons": lists.reasons,
    "outcomes": lists.outcomes,
    "settings": lists.settings,
    "metrics": lists.metrics,
    "errors": lists.errors,
    "commands": commands.sections,
    "json": answers.sections,
    "lake-readings": lake.readings,
    "lake-meter-days": lake.meter_days,
    "lake-load-curves": lake.load_curves,
}


def filled(page: str) -> str:
    """A page with all of its blocks as the code has them now."""
    return BLOCK.sub(lambda found: f"{found[1]}\n{BLOCKS[found[2]]()}\n\n{found[3]}", page)


def pages(folder: Path) -> Iterator[tuple[Path, str]]:
    """Each page of a folder that has a generated block, and what it should hold."""
    for path in sorted(folder.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if BLOCK.search(text):
            yield path, filled(text)
