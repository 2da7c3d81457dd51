"""Every mistake gets one line: file, line, path, what was found, what is allowed, the nearest."""

import random
import time

import pytest

from simulator.errors import ScenarioError
from simulator.scenario import reading

NOISE = (
    b"\t", b"\n", b": ", b"{", b"}", b"[", b"]", b"'", b'"', b"&a ", b"*a", b"!!x ", b"~", b"-",
    b"\x00", b"\xff", b"\xe2\x80\xae", b"1e308", b".inf", b"no", b"  ", b"#", b"|", b">", b"? ",
    b"- ", b"---\n", b"%", b"@", b"\r", b",", b"5%", b"$1,234", b"\xef\xbb\xbf", b"9" * 50,
)  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "person_years:    {2018: 160",
            "person_year:     {2018: 160",
            "x.yaml:13: population.lakeshore.segments.esrd.person_year is not a field; "
            "did you mean person_years?",
        ),
        (
            "number: 2",
            "number: two",
            "x.yaml:8: population.lakeshore.agreement.number is 'two'; "
            "must be a whole number between 1 and 20",
        ),
        (
            "trend: {mean: 0.04}",
            "effect: {mean: 3}",
            "x.yaml:23: experience.effect.mean is 3; must lie between -1 and 1 "
            "(3% is written 0.03)",
        ),
        (
            "2018: 160",
            "2018: -160",
            "x.yaml:13: population.lakeshore.segments.esrd.person_years.2018 is -160; "
            "must be at least 0",
        ),
        (
            "seed: 7\n",
            "seed: 7\nname: other\n",
            "x.yaml:4: name is given twice, first in line 2; once is allowed",
        ),
        ("    revenue_ppy", "\trevenue_ppy", "x.yaml:10: is indented with a tab; must be spaces"),
        (
            "revenue_ppy: 3_600",
            "revenue_ppy: &r 3_600",
            "x.yaml:10: population.lakeshore.revenue_ppy uses '&r'; "
            "anchors and aliases are not allowed",
        ),
    ],
)
def test_each_mistake_has_its_line(files, old, new, line):
    files.swap((old, new))
    assert files.lines() == [line]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("", "x.yaml:1: is empty; must be a mapping"),
        ("# nothing\n", "x.yaml:1: is empty; must be a mapping"),
        (b"\x7fELF\x00\x01", "x.yaml:1: byte 0x00 at offset 4 is not UTF-8 text"),
        ("just words\n", "x.yaml:1: is 'just words'; must be a mapping"),
    ],
)
def test_a_file_that_is_no_scenario_is_one_mistake(files, content, line):
    files.put("x.yaml", content)
    assert files.lines() == [line]


def test_a_missing_file_is_one_mistake(files):
    files.path.unlink()
    assert files.lines() == ["x.yaml: was not found"]


def test_a_file_of_50_megabytes_is_refused_at_once(files):
    with files.path.open("wb") as file:
        file.truncate(50_000_000)
    (line,) = files.lines()
    assert line.startswith("x.yaml: holds 50,000,000 bytes; at most 256,000 bytes are read")


def test_an_alias_bomb_is_refused_at_once(files):
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 10)
    )
    files.put("x.yaml", f"{files.scenario}{bomb}")
    found = [line for line in files.lines() if "anchors and aliases are not allowed" in line]
    assert len(found) == 10


def test_ten_mistakes_in_three_places_give_ten_lines(files):
    files.swap(
        ("2017: 82_000", "2017: -82_000"),
        ("aged_nondual: {2016: 9_900", "aged_nondaul: {2016: 9_900"),
        name="base/market.yaml",
        text=f"{files.market}  trunkation_usd: {{esrd: {{2022: 1}}}}\n",
    )
    files.swap(
        ("number: 2", "number: two"),
        ("2018: 160, 2022: 100}", "2018: 160, 2018: 100}"),
        ("risk_score:      {2016: 0.98", "risk_scores:     {2016: 0.98"),
        ("quality: {mean: 0.8}", "quality: {mean: 80}"),
        ("revenue_ppy: 3_600", "revenue_ppy: $3,600"),
    )
    found = files.lines(["experience.trend.sd=-0.1", "trails=5"])
    assert [line.partition(" ")[0] for line in found[:8]] == [
        "base/market.yaml:3:",
        "base/market.yaml:4:",
        "base/market.yaml:5:",
        "x.yaml:8:",
        "x.yaml:10:",
        "x.yaml:13:",
        "x.yaml:15:",
        "x.yaml:24:",
    ]
    assert found[8:] == [
        "--set experience.trend.sd=-0.1: experience.trend.sd is -0.1; must lie between 0 and 1",
        "--set trails=5: trails is not a field; did you mean trials?",
    ]


def test_mistakes_of_spelling_and_of_sense_come_in_one_pass(files):
    files.swap(
        ("revenue_ppy: 3_600", "revenue_ppy: [1"),
        ("mean: 0.04", "maen: 0.04"),
        ("years: [2022]", "years: [2022, 2021]"),
    )
    assert [line.partition(" ")[0] for line in files.lines()] == [
        "x.yaml:5:",
        "x.yaml:10:",
        "x.yaml:23:",
    ]


def test_one_override_with_a_star_is_one_mistake(files):
    (line,) = files.lines(["population.*.segments.*.churn_share=-1"])
    assert line.startswith("--set population.*.segments.*.churn_share=-1: population.lakeshore")


def mutated(source: bytes, rng: random.Random) -> bytes:
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(source))
        cut = at + rng.choice((0, 0, 1, 10))
        put = rng.choice((*NOISE, bytes([rng.randrange(256)]), source[at : at + 50]))
        source = source[:at] + put + source[cut:]
    return source


def read_mutants(files, seed, count):
    """Return the slowest reading; anything but a scenario or its mistakes is an error."""
    rng, slowest = random.Random(seed), 0.0
    for _ in range(count):
        files.put("x.yaml", mutated(files.scenario.encode(), rng))
        began = time.perf_counter()
        try:
            reading.read(files.path)
        except ScenarioError as error:
            assert all(message.isprintable() for message in error.messages)  # noqa: PT017
        slowest = max(slowest, time.perf_counter() - began)
    return slowest


def test_a_mutated_scenario_is_read_or_refused_in_words(files):
    assert read_mutants(files, seed=1, count=150) < 5.0


@pytest.mark.slow
def test_one_thousand_mutated_scenarios_are_read_or_refused_in_words(files):
    assert read_mutants(files, seed=2, count=1_000) < 5.0
