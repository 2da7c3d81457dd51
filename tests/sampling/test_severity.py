import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from simulator.errors import SimulatorError
from simulator.sampling import severity

SHARES = {"esrd": 0.01, "disabled": 0.13, "aged_dual": 0.08, "aged_nondual": 0.78}
MEANS = {"esrd": 85_000, "disabled": 13_500, "aged_dual": 19_000, "aged_nondual": 10_500}
PUBLISHED = {0.01: 0.149, 0.05: 0.415, 0.10: 0.600, 0.20: 0.791, 0.50: 0.957}
PEOPLE = np.random.default_rng(3).lognormal(8.0, 1.5, 3_000) * (np.arange(3_000) % 10 > 0)
SEVERITIES = {
    "lognormal": severity.lognormal(10_000.0, cv=2.1, p_zero=0.06),
    "gamma": severity.gamma(10_000.0, cv=2.0, p_zero=0.06),
    "mixture": severity.lognormal_mixture(10_000.0, cv=2.1, p_zero=0.06),
    "pareto": severity.lognormal_pareto(
        10_000.0, cv=2.0, p_zero=0.06, tail_share=0.01, tail_index=2.5
    ),
    "gb2": severity.gb2(10_000.0, a=1.2, p=0.8, q=2.5, p_zero=0.06),
    "empirical": severity.empirical(PEOPLE),
}
CONTINUOUS = [name for name in SEVERITIES if name != "empirical"]


def book():
    return severity.pooled(
        list(SHARES.values()), [severity.standard(name, MEANS[name]) for name in SHARES]
    )


def test_the_default_book_is_as_concentrated_as_published(proof):
    one = book()
    shares = {top: float(one.above(one.exceeded(top), 1)) / one.mean for top in PUBLISHED}
    told = ", ".join(f"top {top:.0%} {s:.1%} ({PUBLISHED[top]:.1%})" for top, s in shares.items())
    proof("the default book's concentration (published)", told)
    assert list(shares.values()) == pytest.approx(list(PUBLISHED.values()), abs=0.01)


def test_the_default_book_truncated_at_its_top_percent_varies_as_published(proof):
    one = book()
    point = one.exceeded(0.01)
    cv = float(np.sqrt(one.limited_second(point) / one.limited_mean(point) ** 2 - 1.0))
    proof("the default book's coefficient of variation, truncated at 99%", f"{cv:.3f}")
    assert 1.8 <= cv <= 1.95


@pytest.mark.parametrize("name", SHARES)
def test_a_default_type_has_the_cv_and_zeros_stated(name):
    one = severity.standard(name, MEANS[name])
    stated = severity.DEFAULTS[name]
    assert (one.sd / one.mean, one.p_zero) == pytest.approx(stated)


@pytest.mark.parametrize("name", SEVERITIES)
@settings(deadline=None)
@given(u=st.floats(0.0, 1 - 1e-9), v=st.floats(0.0, 1 - 1e-9))
def test_quantiles_rise(name, u, v):
    low, high = sorted([u, v])
    assert SEVERITIES[name].quantile(low) <= SEVERITIES[name].quantile(high)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_exceeded_inverts_survival_far_into_the_tail(name):
    share = np.array([0.9, 0.5, 0.01, 1e-6, 1e-12])
    one = SEVERITIES[name]
    assert one.survival(one.exceeded(share)) == pytest.approx(share, rel=1e-6)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_the_limited_mean_is_the_integral_of_survival(name):
    one = SEVERITIES[name]
    pieces = [quad(one.survival, a, b)[0] for a, b in [(0, 100), (100, 5_000), (5_000, 9e4)]]
    assert one.limited_mean(9e4) == pytest.approx(sum(pieces), rel=1e-6)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_the_limited_second_moment_is_the_integral_of_survival(name):
    one = SEVERITIES[name]
    pieces = [
        quad(lambda x: 2 * x * one.survival(x), a, b)[0]
        for a, b in [(0, 100), (100, 5_000), (5_000, 9e4)]
    ]
    assert one.limited_second(9e4) == pytest.approx(sum(pieces), rel=1e-6)


@pytest.mark.parametrize("name", SEVERITIES)
def test_a_split_puts_mean_and_variance_together_again(name):
    one = SEVERITIES[name]
    part = one.split(float(one.exceeded(0.01)))
    above = part.point + part.excess_mean
    mean = (1 - part.share) * part.body_mean + part.share * above
    second = (1 - part.share) * (part.body_sd**2 + part.body_mean**2)
    second += part.share * (part.excess_sd**2 + above**2)
    assert (mean, np.sqrt(second - mean**2)) == pytest.approx((one.mean, one.sd), rel=1e-9)


def test_a_split_beyond_everybody_has_no_excess():
    part = SEVERITIES["empirical"].split(1e12)
    assert (part.share, part.excess_mean, part.excess_sd) == (0.0, 0.0, 0.0)


def test_the_empirical_law_is_the_file():
    one = SEVERITIES["empirical"]
    assert (one.mean, one.sd) == pytest.approx((PEOPLE.mean(), PEOPLE.std()))
    assert float(one.limited_mean(20_000.0)) == pytest.approx(np.minimum(PEOPLE, 2e4).mean())
    assert float(one.quantile(0.75)) == pytest.approx(np.quantile(PEOPLE, 0.75), rel=0.01)


@pytest.mark.parametrize("name", SEVERITIES)
def test_scaling_moves_every_dollar_alike(name):
    one = SEVERITIES[name]
    twice = one.scaled_to(2.0 * one.mean)
    assert twice.exceeded(0.03) == pytest.approx(2.0 * one.exceeded(0.03))
    assert twice.limited_mean(6e4) == pytest.approx(2.0 * one.limited_mean(3e4))


@pytest.mark.parametrize("name", SEVERITIES)
@settings(deadline=None, max_examples=25)
@given(st.floats(0.01, 0.9))
def test_a_truncated_mean_finds_its_severity(name, part):
    one = SEVERITIES[name].from_truncated_mean(part * 50_000.0, 60_000.0)
    assert one.limited_mean(60_000.0) == pytest.approx(part * 50_000.0, rel=1e-9)


def test_a_truncated_mean_beyond_the_truncation_is_refused():
    with pytest.raises(SimulatorError, match="less than"):
        SEVERITIES["gamma"].from_truncated_mean(99.0, 100.0)


@pytest.mark.parametrize(
    "build",
    [
        lambda: severity.lognormal(1.0, cv=0.1, p_zero=0.5),
        lambda: severity.lognormal_mixture(1.0, cv=9.0),
        lambda: severity.gb2(1.0, a=1.0, p=1.0, q=2.0),
        lambda: severity.empirical([3.0, 3.0]),
        lambda: severity.empirical([np.nan, 3.0]),
        lambda: severity.standard("esdr"),
    ],
)
def test_shapes_that_cannot_be_are_refused(build):
    with pytest.raises(SimulatorError):
        build()
