from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from riparian.errors import BadQuery
from riparian.lexical.query import (
    Clause,
    Fuzzy,
    Group,
    InTitle,
    Node,
    Occur,
    Phrase,
    Prefix,
    Word,
    bag,
    loosened,
    parse,
    wanted,
)


def shown(node: Node) -> str:
    """A tree in one line: `+` required, `-` excluded, brackets around groups."""
    match node:
        case Group(clauses):
            signs = {Occur.MAY: "", Occur.MUST: "+", Occur.NOT: "-"}
            return "(" + " ".join(signs[clause.occur] + shown(clause.node) for clause in clauses) + ")"
        case Phrase(text, slop):
            return f'"{text}"' + (f"~{slop}" if slop else "")
        case Prefix(text):
            return f"{text}*"
        case Fuzzy(text, distance):
            return f"{text}~{distance}"
        case InTitle(inner):
            return f"title:{shown(inner)}"
        case Word(text):
            return text


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("river bank", "(river bank)"),
        ('"river bank" erosion', '(+"river bank" erosion)'),
        ("“river bank” erosion", '(+"river bank" erosion)'),
        ('"river bank" OR "sea shore"', '("river bank" "sea shore")'),
        ('"a b"~5', '(+"a b"~5)'),
        ("river AND bank", "((+river +bank))"),
        ("money river AND bank", "(money (+river +bank))"),
        ("river AND NOT bank", "((+river -bank))"),
        ("river NOT bank", "(river -bank)"),
        ("+river -bank money", "(+river -bank money)"),
        ("river && bank || money", "((+river +bank) money)"),
        ("(river OR sea) AND bank", "((+(river sea) +bank))"),
        ("NOT NOT bank", "(bank)"),
        ("ero*", "(ero*)"),
        ("bank~", "(bank~1)"),
        ("sediment~", "(sediment~2)"),
        ("sediment~1", "(sediment~1)"),
        ("sediment~9", "(sediment~2)"),
        ("title:bank river", "(+title:bank river)"),
        ("title:(bank OR shore)", "(+title:(bank shore))"),
        ('title:"river bank"', '(+title:"river bank")'),
        ("title:bank OR river", "(title:bank river)"),
    ],
)
def test_the_language_is_read_as_described(query: str, tree: str) -> None:
    assert shown(parse(query)) == tree


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ('a lone " quote', "(a lone quote)"),
        ("ends with AND", "(ends with)"),
        ("OR begins", "(begins)"),
        ("(never closed", "((never closed))"),
        ("closed twice))", "(closed twice)))"),
        ("f(x) g(y)", "(f(x) g(y))"),
        ("(f(x) g)", "((f(x) g))"),
        ("- alone and + too", "(alone and too)"),
        ("minus -5 degrees", "(minus -5 degrees)"),
        ("CVE-2021-44228", "(CVE-2021-44228)"),
        ("mail bob@example.org now", "(mail bob@example.org now)"),
        ("C++ or C#", "(C++ or C#)"),
        ("https://example.org/a?b=1&c=2", "(https://example.org/a?b=1&c=2)"),
        ("note: this", "(note: this)"),
        ('a 6" board', "(a 6 board)"),
        ("what?! really...", "(what?! really...)"),
        ("AND", "(AND)"),
        ("NOT", "(NOT)"),
        ("** star", "(star)"),
        ("w*rd", "(w*rd)"),
    ],
)
def test_ordinary_punctuation_is_read_as_words(query: str, tree: str) -> None:
    assert shown(parse(query)) == tree


@pytest.mark.parametrize("query", ["", "   ", "?!", '""', "-", "+++", "…", "( )", "“”", "🙂"])
def test_a_query_without_a_word_is_refused(query: str) -> None:
    with pytest.raises(BadQuery, match="no word to search for"):
        parse(query)


def test_a_pasted_text_is_words_whatever_it_holds() -> None:
    text = 'He said "never again" AND left -- NOT that (we) care. ' * 10
    assert parse(text) == bag(text)
    assert {clause.occur for clause in parse(text).clauses} == {Occur.MAY}


def test_loosening_requires_nothing_and_still_excludes() -> None:
    assert shown(loosened(parse('+river "the bank" -sea (a AND b)'))) == '(river "the bank" -sea (a b))'


def test_what_is_wanted_leaves_out_what_is_excluded() -> None:
    nodes = list(wanted(parse('river -sea "the bank" title:shore (a NOT b)')))
    assert [shown(node) for node in nodes] == ["river", '"the bank"', "shore", "a"]


def test_deep_brackets_are_read_without_recursion() -> None:
    group = parse("(" * 100_000 + "a AND b" + ")" * 100_000)
    assert {shown(node) for node in wanted(group)} == {"a", "b"}


SIGNS = st.sampled_from(
    ["AND", "OR", "NOT", "&&", "||", "+", "-", "(", ")", '"', "“", "”", "~", "~2", "*", "title:", " ", "a", "bank", "é"]
)


@given(
    st.one_of(
        st.text(max_size=60), st.lists(SIGNS, max_size=40).map("".join), st.lists(SIGNS, max_size=40).map(" ".join)
    )
)
@example('"')
@example("title:")
@example("a ~ b")
@example("(" * 30 + "a")
@settings(max_examples=3000, deadline=None)
def test_any_text_is_a_query_or_is_refused_as_one_without_words(text: str) -> None:
    try:
        group = parse(text)
    except BadQuery:
        return
    assert isinstance(group, Group)
    assert group.clauses
    assert all(isinstance(clause, Clause) for clause in group.clauses)
