"""Every rules file, every option: complete, cited, in the units its contract declares."""

import pytest

from simulator.errors import RulesError
from simulator.programs import PROGRAMS, contract, options, rules, years
from simulator.programs.rulebook import Leaf, RulesFile, term
from simulator.units import Share

FILES = [
    (program, year, variant)
    for program in PROGRAMS
    for year, variants in years(program).items()
    for variant in (None, *variants)
]
OPTIONS = [(*file, option) for file in FILES for option in options(*file)]


@pytest.mark.parametrize(("program", "year", "variant", "option"), OPTIONS)
def test_every_option_loads_with_a_source_for_every_term(program, year, variant, option):
    loaded = contract(program, year, option, variant=variant)
    assert set(loaded.sources) == set(loaded.terms())


@pytest.mark.parametrize(("program", "year", "variant"), FILES)
def test_every_cite_names_a_source_of_the_file(program, year, variant):
    file = rules(program, year, variant)
    unknown = [
        f"{name}: {part}"
        for name, leaf in _leaves(file)
        for part in leaf.cite.split("; ")
        if part.split()[0] not in file.sources and not part[0].isdigit()
    ]
    assert not unknown


@pytest.mark.parametrize(("program", "year", "variant"), FILES)
def test_what_is_published_was_read(program, year, variant):
    file = rules(program, year, variant)
    unread = [
        name
        for name, leaf in _leaves(file)
        if leaf.status == "published" and not file.sources[leaf.cite.split()[0].rstrip(";")].read
    ]
    assert not unread


def test_three_for_three_percent_is_refused():
    with pytest.raises(RulesError, match="is 3; a share lies between 0 and 1"):
        term(Leaf(value=3, unit="share", status="assumed", cite="us"), Share, "x: sequestration")


def test_a_value_in_another_unit_is_refused():
    with pytest.raises(RulesError, match="is in 'percent'; the formula expects 'share'"):
        term(Leaf(value=0.03, unit="percent", status="assumed", cite="us"), Share, "x: discount")


def test_an_unknown_option_offers_the_nearest():
    with pytest.raises(RulesError, match="did you mean ENHANCED"):
        contract("mssp", 2022, "ENHNACED")


def test_an_unknown_program_says_what_there_is():
    with pytest.raises(RulesError, match=r"program 'msp' is unknown.*did you mean mssp"):
        contract("msp", 2022, "A")


def test_a_what_if_becomes_assumed_and_cites_the_scenario():
    changed = contract("mssp", 2022, "B", overrides=[("sharing_rate", 0.45, "what if")])
    assert changed.sharing_rate == 0.45
    assert changed.sources["sharing_rate"].status == "assumed"
    assert changed.sources["sharing_rate"].note == "what if"


def test_a_what_if_reaches_one_kind_of_a_term():
    changed = contract("mssp", 2022, "B", overrides=[("regional_weight_lower.1", 0.4, "what if")])
    assert dict(changed.regional_weight_lower.leaves())["1"] == 0.4


def test_a_what_if_on_an_unknown_kind_says_what_there_is():
    with pytest.raises(RulesError, match="allowed: 1, 2"):
        contract("mssp", 2022, "B", overrides=[("regional_weight_lower.9", 0.4, "what if")])


def _leaves(file: RulesFile) -> list[tuple[str, Leaf]]:
    groups = [("common", file.common), *file.options.items()]
    return [(f"{group}.{name}", leaf) for group, terms in groups for name, leaf in terms.items()]


def test_a_reading_that_nobody_knows_is_refused():
    with pytest.raises(RulesError, match="did you mean aggregate"):
        contract("mssp", 2022, "E", overrides=[("risk_cap_regime", "agregate", "what if")])
