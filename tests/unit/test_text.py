"""Text of others is shown without anything that a terminal could obey."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenstream.domain.text import EXCERPT_CHARS, beginning, excerpt, plain_json, printable, printable_lines
from greenstream.entrypoints.cli.tables import table_lines

BIDI = [chr(code) for code in (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))]
HIDDEN = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)] + BIDI
NASTY = st.text(st.sampled_from(HIDDEN) | st.characters(), max_size=40)


def test_every_control_character_and_every_turn_of_direction_is_hidden() -> None:
    codes = [chr(code) for code in range(0x110000) if unicodedata.category(chr(code)) in ("Cc", "Zl", "Zp")]
    turns = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
    codes += [chr(code) for code in range(0x110000) if unicodedata.bidirectional(chr(code)) in turns]
    assert set(codes) <= set(HIDDEN)


@pytest.mark.parametrize("hidden", HIDDEN, ids=ascii)
def test_each_is_escaped_alone(hidden: str) -> None:
    assert all(character.isprintable() for character in printable(f"a{hidden}b"))
    assert (printable_lines(f"a{hidden}b") == f"a{hidden}b") == (hidden == "\n")
    assert hidden not in plain_json(json.dumps([hidden], ensure_ascii=False))


@given(NASTY)
def test_text_is_otherwise_as_it_was(text: str) -> None:
    assert not set(printable(text)) & set(HIDDEN)
    assert printable("".join(each for each in text if each not in HIDDEN)) == "".join(
        each for each in text if each not in HIDDEN
    )


@given(st.dictionaries(NASTY, NASTY))
def test_json_means_the_same(value: dict[str, str]) -> None:
    plain = plain_json(json.dumps(value, ensure_ascii=False))
    assert json.loads(plain) == value
    assert not set(plain) & set(HIDDEN)


@given(NASTY, NASTY)
def test_a_table_keeps_its_lines(name: str, value: str) -> None:
    lines = list(table_lines([name], [[value]]))
    assert len(lines) == 3
    assert not set("".join(lines)) & set(HIDDEN)


@pytest.mark.parametrize("length", [0, 99, 100, 101, 10_000_000])
def test_a_message_quotes_a_hundred_characters(length: int) -> None:
    text = "x" * length
    assert excerpt(text).count("x") == beginning(text).count("x") == min(length, EXCERPT_CHARS)
    assert excerpt(text).endswith("…") == beginning(text).endswith("…") == (length > EXCERPT_CHARS)
