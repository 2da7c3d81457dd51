"""Fits recover what people were drawn from within their errors; posteriors rank uniformly."""

import csv
import functools

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats

from simulator.analysis.calibration import Ranges, best, fit, fits, posterior
from simulator.errors import SimulatorError
from simulator.sampling.severity import FAMILIES, lognormal_pareto

KINDS = {"esrd": (85_000.0, 1.2, 0.0), "aged_nondual": (10_500.0, 2.1, 0.06)}
RANGES = Ranges(mean=(5_000.0, 20_000.0), cv=(1.0, 2.2))
FIGURES = ("mean_ppy", "cv", "zero_share")


def people(one, count, rng):
    """Return what people paid and the months they were there, a tenth of them a part of it."""
    months = np.where(rng.uniform(size=count) < 0.1, rng.integers(1, 12, count), 12).astype(float)
    return one.quantile(rng.uniform(size=count)) * months / 12.0, months


@functools.cache
def ranks(family, runs, seed, persons=500, draws=99):
    """Return how many posterior draws lie below the truth that data were simulated from."""
    rng, found = np.random.default_rng(seed), []
    while len(found) < runs:
        mean, cv = (np.exp(rng.uniform(*np.log(ends))) for ends in RANGES)
        zero = rng.uniform()
        spends = rng.uniform(size=persons) >= zero
        # People too few to fit are no run; whether they are says nothing of mean and cv.
        if spends.sum() >= 60:
            paid = FAMILIES[family](mean, cv).quantile(rng.uniform(size=persons)) * spends
            uniforms = rng.uniform(size=(draws, 3))
            drawn = posterior(paid, np.full(persons, 12.0), family, RANGES, uniforms)
            truth = ((1 - zero) * mean, np.sqrt((1 + cv**2) / (1 - zero) - 1), zero)
            pairs = zip(FIGURES, truth, strict=True)
            found.append([(drawn[name] < value).sum() for name, value in pairs])
    return np.array(found)


def uniformity(found):
    """Return each figure's chance that uniform ranks would be as uneven, in ten bins."""
    binned = [np.bincount(column // 10, minlength=10) for column in found.T]
    return [float(stats.chisquare(counts).pvalue) for counts in binned]


def test_ranks_of_simulated_truths_are_uniform():
    assert min(uniformity(ranks("lognormal_mixture", 60, 5))) > 0.001


@pytest.mark.slow
@pytest.mark.parametrize("family", ["lognormal_mixture", "lognormal", "gamma"])
def test_ranks_of_many_simulated_truths_are_uniform(proof, family):
    found = uniformity(ranks(family, 600, 20_261_122))
    figures = ", ".join(f"{name} {p:.2f}" for name, p in zip(FIGURES, found, strict=True))
    proof(f"ranks of 600 simulated truths are uniform, {family}", f"chi-square p: {figures}")
    assert min(found) > 0.001


def test_a_posterior_too_narrow_would_be_caught():
    found = ranks("lognormal_mixture", 60, 5)
    narrow = np.clip(np.rint(49.5 + 2.5 * (found - 49.5)), 0, 99).astype(int)
    assert min(uniformity(narrow)) < 0.001


@pytest.mark.parametrize("family", ["lognormal_mixture", "lognormal", "gamma"])
def test_a_fit_recovers_what_people_were_drawn_from(proof, tmp_path, family):
    rng = np.random.default_rng(7)
    laws = {kind: FAMILIES[family](mean, cv, zero) for kind, (mean, cv, zero) in KINDS.items()}
    drawn = {kind: people(one, 20_000, rng) for kind, one in laws.items()}
    table = {
        "paid_usd": np.concatenate([paid for paid, _ in drawn.values()]),
        "months": np.concatenate([months for _, months in drawn.values()]),
        "enrollment_type": np.repeat(list(drawn), 20_000),
    }
    pq.write_table(pa.table(table), tmp_path / "people.parquet")
    read = pq.read_table(tmp_path / "people.parquet").to_pydict()
    found = fits(read["paid_usd"], read["months"], read["enrollment_type"], family)
    for kind, (mean, cv, zero) in KINDS.items():
        one, point = found[kind], float(laws[kind].exceeded(0.01))
        truths = {"mean_ppy": mean, "cv": cv, "zero_share": zero, "top_percentile_usd": point}
        off = {
            name: (getattr(one, name).value - truth) / max(getattr(one, name).error, 1e-12)
            for name, truth in truths.items()
        }
        proof(
            f"{family}, {kind}: off by standard errors",
            ", ".join(f"{name} {value:+.1f}" for name, value in off.items()),
        )
        assert max(map(abs, off.values())) < 4.0
        assert one.severity.mean == pytest.approx(one.mean_ppy.value)


@pytest.mark.slow
def test_errors_stated_are_the_spread_of_fits(proof):
    rng, runs = np.random.default_rng(11), 300
    mean, cv, zero = KINDS["aged_nondual"]
    one = FAMILIES["lognormal_mixture"](mean, cv, zero)
    truths = {"mean_ppy": mean, "cv": cv, "zero_share": zero}
    truths["top_percentile_usd"] = float(one.exceeded(0.01))
    off = {name: [] for name in truths}
    for _ in range(runs):
        found = fit(*people(one, 5_000, rng), "lognormal_mixture")
        for name, truth in truths.items():
            off[name].append((getattr(found, name).value - truth) / getattr(found, name).error)
    for name, values in off.items():
        spread, bias = np.std(values), np.mean(values)
        proof("fits of 5,000 people", f"{name}: spread {spread:.2f} errors, mean {bias:+.2f}")
        assert spread == pytest.approx(1.0, abs=0.25)
        assert abs(bias) < 0.3


def test_the_index_of_a_heavy_tail_is_found():
    one = lognormal_pareto(10_000.0, cv=2.4, p_zero=0.05, tail_share=0.03, tail_index=3.0)
    paid, months = people(one, 100_000, np.random.default_rng(3))
    index = fit(paid, months, "lognormal").tail_index
    assert abs(index.value - 3.0) < 4.0 * index.error


def test_the_likeliest_family_is_the_one_drawn_from():
    rng = np.random.default_rng(5)
    for family in ("lognormal_mixture", "lognormal", "gamma"):
        assert best(*people(FAMILIES[family](10_000.0, 2.0), 20_000, rng)).family == family


@pytest.mark.parametrize("year", [2008, 2010])
def test_samples_of_a_file_of_beneficiaries_find_the_file_again(proof, public_data, year):
    """CMS's synthetic beneficiaries are the population; samples of them find its figures."""
    path = public_data / f"desynpuf_bene_{year}_sample1_10k.csv"
    if not path.is_file():
        pytest.skip(f"{path} is missing; set ACOSIM_PUBLIC_DATA")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    months = np.array([float(row["BENE_HI_CVRAGE_TOT_MONS"]) for row in rows])
    paid = sum(
        np.array([float(row[f"MEDREIMB_{part}"]) for row in rows]) for part in ("IP", "OP", "CAR")
    )
    paid, months = paid[months > 0], months[months > 0]
    whole = best(paid, months)
    rng = np.random.default_rng(year)
    names = ("mean_ppy", "observed_cv", "cv", "zero_share", "top_percentile_usd", "tail_index")
    off = {name: [] for name in names}
    for _ in range(24):
        chosen = rng.integers(0, len(paid), 4_000)
        one = fit(paid[chosen], months[chosen], whole.family)
        for name, values in off.items():
            gap = getattr(one, name).value - getattr(whole, name).value
            values.append(gap / getattr(one, name).error)
    rms = {name: float(np.sqrt(np.mean(np.square(values)))) for name, values in off.items()}
    proof(
        f"desynpuf {year}, {len(paid):,} people, {whole.family}: errors off in 24 samples, rms",
        ", ".join(f"{name} {value:.2f}" for name, value in rms.items()),
    )
    # A root mean square of 24 has a standard error of 0.14; of a file of 10,000, samples of 4,000.
    assert max(rms.values()) < 1.0 + 4.0 / np.sqrt(48.0)


@pytest.mark.parametrize(
    ("paid", "months", "said"),
    [
        ([1.0] * 60, [12.0] * 60, "unlike amounts are above 0"),
        ([1.0, 2.0], [12.0], "as many"),
        (np.arange(100.0), np.full(100, 13.0), "above 0 up to 12"),
        (np.append(np.arange(99.0), np.nan), np.full(100, 12.0), "numbers"),
    ],
)
def test_people_who_tell_too_little_are_refused(paid, months, said):
    with pytest.raises(SimulatorError, match=said):
        fit(paid, months, "gamma")


def test_a_fit_is_ready_for_a_scenario():
    paid, months = people(FAMILIES["gamma"](9_000.0, 1.5, 0.1), 5_000, np.random.default_rng(2))
    told = fit(paid, months, "gamma").scenario
    assert told["family"] == "gamma"
    assert told["cv"] == pytest.approx(1.5, abs=0.1)
