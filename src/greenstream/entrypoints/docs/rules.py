"""The page of rules, from the catalogue, the limits and the docstrings."""

import inspect
from collections.abc import Iterable
from itertools import groupby

from greenstream.domain.codes import GRADES
from greenstream.domain.limits import Limits, describe
from greenstream.domain.rules import CATALOGUE, HISTORY_RULES, HistoryRule, Rule
from greenstream.entrypoints.docs.examples import START, Example, examples_in
from greenstream.entrypoints.docs.markdown import code, table


def overview() -> str:
    """All rules on a row in a table."""
    rows = [
        [f"[{rule.id}](#{anchor(rule.id)})", rule.title, code(rule.flag) if rule.flag else "", _rejects(rule)]
        for rule in CATALOGUE
    ]
    return table(["rule", "about", "flag", "rejects with"], rows)


def history_overview() -> str:
    """All rules on a meter's history in a table."""
    rows = [
        [f"[{rule.id}](#{anchor(rule.id)})", rule.title, code(rule.finding), rule.severity] for rule in HISTORY_RULES
    ]
    return table(["rule", "about", "code", "severity"], rows)


def sections() -> str:
    """A section an ID of the rules on a row, in the order of the catalogue."""
    return _sections(CATALOGUE)


def history_sections() -> str:
    """A section an ID of the rules on a meter's history."""
    return _sections(HISTORY_RULES)


def alert_table() -> str:
    """The settings of alerts."""
    return _threshold_table("alerts")


def score_table() -> str:
    """What a quality score is made of."""
    defaults = Limits()
    parts = [info for info in describe() if info.name.startswith("score_")]
    return table(
        ["points", "when", "setting"],
        [[str(getattr(defaults, p.name)), p.meaning.removeprefix("points where "), _setting(p.name)] for p in parts],
    )


def grade_table() -> str:
    """Which scores make which grade."""
    limits = Limits()
    lowest = dict(zip(GRADES, (limits.grade_a, limits.grade_b, limits.grade_c, 0), strict=True))
    highest = [100, *(score - 1 for score in lowest.values())]
    return table(["grade", "score"], [[g, f"{lowest[g]} to {top}"] for g, top in zip(GRADES, highest, strict=False)])


def anchor(heading: str) -> str:
    """The fragment by which a heading is linked to."""
    return "".join(c for c in heading.lower().replace(" ", "-") if c.isalnum() or c in "-_")


def description(rule: Rule) -> str:
    """What a rule does: its docstring without the ID, the examples, and what only its callers need."""
    text = inspect.getdoc(rule.apply) or ""
    paragraphs = text.removeprefix(f"{rule.id}: ").split("\n\n")
    kept = [" ".join(p.split()) for p in paragraphs if not START.match(p) and not p.startswith(("Args:", "Returns:"))]
    return "\n\n".join(_sentence(text) for text in kept)


def _sentence(text: str) -> str:
    """The text as a sentence begins, but for units."""
    return text if text.startswith(("kW", "W ")) else text[:1].upper() + text[1:]


def _sections(rules: Iterable[Rule]) -> str:
    return "\n\n".join(_section(id_, list(of_one_id)) for id_, of_one_id in groupby(rules, lambda rule: rule.id))


def _section(id_: str, rules: list[Rule]) -> str:
    parts = [f"### {id_}", *(_one(rule) for rule in rules)]
    if any(info.rule == id_ for info in describe()):
        parts.append(_threshold_table(id_))
    return "\n\n".join(parts)


def _threshold_table(id_: str) -> str:
    rows = [[_setting(info.name), code(info.default), info.meaning] for info in describe() if info.rule == id_]
    return table(["threshold", "default", "meaning"], rows)


def _one(rule: Rule) -> str:
    parts = [f"**{_sentence(rule.title)}.** {description(rule)}"]
    if rule.flag:
        parts.append(f"Flag: {code(rule.flag)}, severity {rule.severity}.")
    if isinstance(rule, HistoryRule):
        parts.append(f"Finding: {code(rule.finding)}, severity {rule.severity}.")
    if rule.rejection:
        parts.append(f"Rejects the row with {code(rule.rejection)}.")
    rows = [_example_row(example) for example in examples_in(inspect.getdoc(rule.apply) or "")]
    return "\n\n".join([*parts, table(["", "input", "outcome"], rows)])


def _example_row(example: Example) -> list[str]:
    texts = ", ".join(code(text) for text in example.texts)
    where = f"row {example.row}: " if example.row else ""
    return [example.kind.lower(), f"{example.column} {texts}", where + example.outcome]


def _rejects(rule: Rule) -> str:
    return code(rule.rejection) if rule.rejection else ""


def _setting(name: str) -> str:
    return code(f"GREENSTREAM_{name.upper()}")
