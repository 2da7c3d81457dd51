"""The whole Shared Savings Program as one scenario, from the drafts of a public-use file.

    acosim init --from-published mssp PUF.csv --all --out DRAFTS
    python benchmarks/program.py DRAFTS program/program.yaml --years 2022 2031
    acosim run program/program.yaml --profile

A file of a scenario is bounded, so the ACOs lie in several beside it, which it extends. What the
market lacks between years that are given is put on a straight line between their logarithms.
"""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simulator.loading import dump
from simulator.loading.parsing import LARGEST
from simulator.scenario import reading

MARKET = "market_2022.yaml"
ASSUMED = "Assumed: on a line between the logarithms of the years that are given."


def population(drafts: Path, most: int) -> dict[str, Any]:
    """Return the ACOs of a folder of drafts by name, each without what was observed of it."""
    found: dict[str, Any] = {}
    for path in sorted(drafts.glob("*.yaml"))[:most]:
        acos = reading.document(path)[0].value["population"]
        found |= {
            name: {key: value for key, value in aco.items() if key != "observed"}
            for name, aco in acos.items()
        }
    return found


def parts(acos: Mapping[str, Any]) -> Iterator[str]:
    """Yield the ACOs as files that a scenario may extend, none too large to be read."""
    held: dict[str, Any] = {}
    for name, aco in acos.items():
        more = held | {name: aco}
        if held and len(dump({"population": more})) > 0.9 * LARGEST:
            yield dump({"population": held})
            more = {name: aco}
        held = more
    yield dump({"population": held})


def market(base: Path) -> dict[str, dict[int, float]]:
    """Return the nation's figures of every year from the first given to the last."""
    given = reading.document(base / MARKET)[0].value["market"]["national_ppy"]
    filled = {}
    for kind, by_year in given.items():
        years = sorted(int(year) for year in by_year)
        every = np.arange(years[0], years[-1] + 1)
        logs = np.interp(every, years, np.log([float(by_year[year]) for year in years]))
        filled[kind] = {
            int(y): round(float(np.exp(x)), 2) for y, x in zip(every, logs, strict=True)
        }
    return filled


def main() -> None:
    """Write the scenario and the files that it extends."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("drafts", type=Path)
    asked.add_argument("out", type=Path)
    asked.add_argument("--years", type=int, nargs=2, default=(2022, 2031))
    asked.add_argument("--trials", type=int, default=10_000)
    asked.add_argument("--acos", type=int, default=1_000_000)
    given = asked.parse_args()
    given.out.parent.mkdir(parents=True, exist_ok=True)
    names = []
    for number, text in enumerate(parts(population(given.drafts, given.acos))):
        names.append(f"{given.out.stem}_{number}.part.yaml")
        given.out.with_name(names[-1]).write_text(text, encoding="utf-8")
    first, last = given.years
    scenario = {
        "extends": ["base/market_2022.yaml", "base/experience.yaml", *names],
        "name": given.out.stem,
        "trials": given.trials,
        "years": list(range(first, last + 1)),
        "market": {"national_ppy": market(Path("scenarios/base"))},
        "contracts": {"level_e": {"program": "mssp", "option": "E"}},
        "sources": {"market.national_ppy": ASSUMED},
    }
    given.out.write_text(dump(scenario), encoding="utf-8")


if __name__ == "__main__":
    main()
