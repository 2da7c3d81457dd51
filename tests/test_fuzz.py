"""No file makes acosim fail: what it refuses, it refuses in words, and all in the first pass."""

import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from simulator.engine.checking import check
from simulator.errors import ScenarioError
from simulator.loading import Value, plain
from simulator.scenario.reading import document
from tests import fuzzing
from tests.fuzzing import REAL, Tally, cells, drawn, grafted, mutated, spoiled, tried, written

LONG_DRAWN, LONG_MUTATED, PARTS = 10_000, 2_000, 8
SECONDS = 5.0
WAITED = 30.0  # by the clock, on a machine that does other things besides
SEGMENTS = """\
aco_id,period,enrollment_type,person_years,pbpy_usd,risk_score,truncation_usd,total_usd
lakeshore,BY1,ESRD,160,76278,0.982,500000,12204480
lakeshore,BY2,ESRD,161,75003,1.010,500000,
lakeshore,BY3,ESRD,162,80385,0.990,500000,
lakeshore,BY1,AGND,11000,10144,1.068,150000,
lakeshore,BY2,AGND,11100,10654,1.080,150000,
lakeshore,BY3,AGND,11281,10862,1.071,150000,
"""
PEOPLE = "row_key,year,enrollment_type,months,paid_usd,risk_score,tin_group,died\n" + "".join(
    f"K{n:03d},{year},AGND,{1 + n % 12},{n * 111.5},1.1,G{n % 3},0\n"
    for n in range(40)
    for year in (2016, 2017, 2018)
)
SCENARIO = """\
name: fuzzed
years: [2022]
population:
  lakeshore: {%s, agreement: {start: 2019}}
market:
  national_ppy:
    esrd:         {2016: 81_000, 2017: 82_000, 2018: 86_000}
    aged_nondual: {2016: 9_900, 2017: 10_100, 2018: 10_500}
contracts: {e: {program: mssp, option: E}}
"""


def fuzz_drawn(folder: Path, seed: int, count: int) -> Tally:
    """Check scenarios drawn from the schema: whole, or in places of sound ones."""
    rng, tally, path = random.Random(seed), Tally(), folder / "x.yaml"
    for number in range(count):
        text = grafted(rng, rng.choice(sound())) if number % 2 else drawn(rng)
        path.write_text(text, encoding="utf-8", errors="surrogatepass")
        tried(path, tally)
    return tally


@cache
def sound() -> tuple[Value, ...]:
    """Return the scenarios that we ship, resolved, as plain values."""
    shipped = [path for path in REAL if path.parent.name != "base"]
    return tuple(plain(document(path)[0].value) for path in shipped)


def fuzz_mutated(folder: Path, seed: int, count: int) -> Tally:
    """Check real scenarios, base files and population files with mutations."""
    rng, tally = random.Random(seed), Tally()
    for name, content in sources(rng, count):
        (folder / "base").mkdir(exist_ok=True)
        (folder / "x.yaml").write_bytes(content if name == "x.yaml" else b"")
        for kind, file, sound in (
            ("segment_table", "t.csv", SEGMENTS),
            ("beneficiaries", "p.csv", PEOPLE),
            ("segment_table", "t.parquet", ""),
            ("beneficiaries", "p.parquet", ""),
        ):
            (folder / file).write_bytes(content if name == file else sound.encode())
            if name == file:
                (folder / "x.yaml").write_text(SCENARIO % f"{kind}: {file}", encoding="utf-8")
        tried(folder / "x.yaml", tally)
    return tally


def sources(rng: random.Random, count: int) -> Iterator[tuple[str, bytes]]:
    """Yield files with mutations: a third of them tables."""
    real = [path.read_bytes() for path in REAL]
    for number in range(count):
        table = ("t.csv", SEGMENTS) if number // 3 % 8 in (0, 1, 3, 5) else ("p.csv", PEOPLE)
        if number % 3:
            yield "x.yaml", mutated(rng.choice(real), rng)
        elif number % 4 == 0:
            yield table[0].replace("csv", "parquet"), mutated(packed(table[1]), rng)
        elif rng.random() < 0.5:
            yield table[0], cells(table[1], rng).encode("utf-8", errors="replace")
        else:
            yield table[0], mutated(table[1].encode(), rng)


@cache
def packed(table: str) -> bytes:
    """Return a table as a parquet file."""
    file = pa.BufferOutputStream()
    pq.write_table(pacsv.read_csv(pa.BufferReader(table.encode())), file)
    return bytes(file.getvalue())


def reported(folder: Path, seed: int, count: int) -> tuple[int, int, list[str]]:
    """Return how many independent mistakes were put in, how many told at once, and some untold."""
    rng, put, told, untold = random.Random(seed), 0, 0, list[str]()
    for _ in range(count):
        value, named = spoiled(rng.choice(sound()), rng, rng.randint(2, 12))
        path = folder / "x.yaml"
        path.write_text(written(value), encoding="utf-8")
        with pytest.raises(ScenarioError) as caught:
            check(path)
        said = " ".join(caught.value.messages)
        lacking = [one for one in named if f"{one} " not in said and f"{one}." not in said]
        put, told = put + len(named), told + len(named) - len(lacking)
        untold += lacking
    return put, told, untold


def judged(tally: Tally, count: int) -> None:
    assert tally.files == count
    assert tally.wrong == []
    assert tally.slowest < SECONDS
    assert tally.longest < WAITED


def test_scenarios_drawn_from_the_schema_are_read_or_refused_in_words(tmp_path: Path) -> None:
    judged(fuzz_drawn(tmp_path, 1, 150), 150)


def test_mutated_files_are_read_or_refused_in_words(tmp_path: Path) -> None:
    judged(fuzz_mutated(tmp_path, 2, 120), 120)


def test_independent_mistakes_are_told_in_the_first_pass(tmp_path: Path) -> None:
    put, told, untold = reported(tmp_path, 3, 25)
    assert told >= 0.95 * put, untold


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_ten_thousand_drawn_scenarios(tmp_path: Path, proof, part: int) -> None:
    tally = fuzz_drawn(tmp_path, 100 + part, LONG_DRAWN // PARTS)
    proof("scenarios drawn from the schema", tally.told())
    judged(tally, LONG_DRAWN // PARTS)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_two_thousand_mutated_files(tmp_path: Path, proof, part: int) -> None:
    tally = fuzz_mutated(tmp_path, 200 + part, LONG_MUTATED // PARTS)
    proof("real scenarios and population files, mutated", tally.told())
    judged(tally, LONG_MUTATED // PARTS)


@pytest.mark.slow
def test_of_thousands_of_independent_mistakes_nearly_all_are_told_at_once(tmp_path, proof) -> None:
    put, told, untold = reported(tmp_path, 300, 500)
    proof("independent mistakes told in the first pass", f"{told:,} of {put:,} ({told / put:.2%})")
    assert told >= 0.95 * put, untold[:20]


@pytest.mark.parametrize("name", ["x.yaml", "t.csv", "p.csv", "p.parquet"])
def test_a_file_of_50_megabytes_is_refused_in_time(tmp_path: Path, name: str) -> None:
    kind = "segment_table" if name == "t.csv" else "beneficiaries"
    (tmp_path / "x.yaml").write_text(SCENARIO % f"{kind}: {name}", encoding="utf-8")
    line = b"lakeshore,BY1,ESRD,160,76278,0.982\n"
    (tmp_path / name).write_bytes(line * (50_000_000 // len(line)))
    tally = Tally()
    tried(tmp_path / "x.yaml", tally)
    assert tally.refused == 1
    judged(tally, 1)


def test_the_schema_is_covered_whole(tmp_path: Path) -> None:
    rng = random.Random(4)
    text = "".join(drawn(rng) for _ in range(400))
    names = {
        name
        for part in (fuzzing.SCHEMA, *fuzzing.SCHEMA["$defs"].values())
        for name in part.get("properties", {})
    }
    assert [name for name in sorted(names) if f"{name}: " not in text] == []
