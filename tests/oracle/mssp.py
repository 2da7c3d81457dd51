"""The Shared Savings Program's settlement of one ACO in one trial, in plain decimals.

Written from the rules note alone; the numbers in comments are its sections. Every branch that
is taken is counted, so that a comparison can show that it covered them all.
"""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal, localcontext

from tests.oracle import terms as rules
from tests.oracle.terms import since

__all__ = ["BRANCHES", "TYPES", "by_size", "exact", "settle"]

TYPES = ("esrd", "disabled", "aged_dual", "aged_nondual")
ZERO, ONE = Decimal(0), Decimal(1)
DIGITS = 34
# Both at their 5% cap are the same sum in another order: equal but for the last digits.
TIE = Decimal("1e-25")

BRANCHES = (
    "agreement: in its term",
    "agreement: renewed",
    "base weights: 10/30/60",
    "base weights: thirds",
    "regional weight: lower spending, agreement 1",
    "regional weight: lower spending, agreement 2",
    "regional weight: lower spending, agreement 3",
    "regional weight: lower spending, agreement 4+",
    "regional weight: higher spending, agreement 1",
    "regional weight: higher spending, agreement 2",
    "regional weight: higher spending, agreement 3",
    "regional weight: higher spending, agreement 4+",
    "regional weight: difference exactly zero",
    "regional cap: positive binds",
    "regional cap: negative binds at 5%",
    "regional cap: negative binds at 1.5%",
    "regional cap: does not bind",
    "regional offset: held at 0",
    "regional offset: between 0 and 1",
    "regional offset: held at 1",
    "regional offset: taken off a negative type",
    "prior savings: initial agreement, none",
    "prior savings: initial agreement, earlier savings set aside",
    "prior savings: average not above 0",
    "prior savings: in full",
    "prior savings: prorated",
    "prior savings: capped",
    "population: below the minimum share",
    "population: exactly at the minimum share",
    "population: above the minimum share",
    "adjustment: old start, regional whatever its sign, positive",
    "adjustment: old start, regional whatever its sign, negative",
    "adjustment: none, overall regional not above 0",
    "adjustment: regional",
    "adjustment: prior savings",
    "adjustment: population",
    "adjustment: tie of regional and prior savings",
    "risk ratio: each type, capped",
    "risk ratio: each type, not capped",
    "risk ratio: together, within demographic growth + 3 points",
    "risk ratio: together, exactly demographic growth + 3 points",
    "risk ratio: together, beyond, type capped",
    "risk ratio: together, beyond, type not capped",
    "regional risk: within its cap",
    "regional risk: within its cap together, not for each type",
    "regional risk: beyond its cap, type capped",
    "regional risk: beyond its cap, type not capped",
    "update: two-way",
    "update: three-way at 1/6",
    "update: three-way at 1/3",
    "year: whole",
    "year: half of 2019",
    "type without people: in base year 3",
    "type without people: in performance year",
    "guardrail: not reached",
    "guardrail: two-way not better",
    "guardrail: smaller loss, still at MLR",
    "guardrail: smaller loss, below MLR",
    "guardrail: a gain, neither loss nor savings",
    "minimum: below 500 people",
    "minimum: interpolated",
    "minimum: 60,000 people and more",
    "minimum: one-sided, by size",
    "minimum: variable elected",
    "minimum: below 5,000 people, elected one set aside",
    "minimum: 0 elected",
    "minimum: fixed above 0 elected",
    "quality: rate times score",
    "quality: all or nothing, met",
    "quality: all or nothing, missed",
    "quality: deemed met",
    "quality: met",
    "quality: met exactly at the threshold",
    "quality: alternative, scaled",
    "quality: neither",
    "quality lift: not needed",
    "quality lift: to the threshold",
    "quality: first year, reported in full",
    "quality: reporting incentive",
    "quality: met by reporting, not by score",
    "settled: exactly at the benchmark",
    "savings: exactly at the minimum",
    "savings: at or above the minimum",
    "savings: below the minimum",
    "savings: below the minimum, reduced sharing",
    "savings: below the minimum, too few base-year people for reduced sharing",
    "savings: earned but quality gives nothing",
    "savings: barred by the guardrail",
    "savings: barred by termination",
    "sequestration: none",
    "sequestration: 2%",
    "payment limit: binds",
    "payment limit: does not bind",
    "losses: one-sided, none shared",
    "losses: below the minimum",
    "losses: exactly at the minimum",
    "losses: at or above the minimum",
    "loss rate: 30%",
    "loss rate: by quality",
    "loss rate: floor",
    "loss rate: ceiling",
    "loss rate: quality failed",
    "loss limit: revenue binds",
    "loss limit: benchmark binds",
    "loss limit: does not bind",
    "circumstances: none",
    "circumstances: part",
    "circumstances: all",
    "circumstances: more than all together",
    "cyberattack: relieved",
    "cyberattack: before it counts",
    "termination: none",
    "termination: losses prorated",
    "termination: nothing owed",
    "advance: not open to it",
    "advance: not in ENHANCED",
    "advance: two years are over",
    "advance: at 10,000 people",
    "advance: below 10,000 people",
    "advance: year 1, all quarters",
    "advance: year 1, not all quarters",
    "advance: year 2, all quarters",
    "advance: year 2, not all quarters",
    "advance: nothing outstanding",
    "advance: recouped in full",
    "advance: recouped in part",
    "advance: no payment to recoup from",
    "repayment mechanism: none, one-sided",
    "repayment mechanism: start before 2022",
    "repayment mechanism: share of expenditure",
    "repayment mechanism: share of revenue",
)


@dataclass
class Book:
    """One ACO's year while it is being settled: what is given, the rules, the lines so far."""

    given: dict
    year: int
    option: str
    branches: Counter
    lines: dict = field(default_factory=dict)

    def __post_init__(self):
        _renew(self)
        self.start = self.given["agreement_start"]
        self.base = (self.start - 3, self.start - 2, self.start - 1)
        self.last = self.start - 1
        self.by_start = since(rules.STARTS, self.start)
        self.by_year = rules.YEARS[self.year]
        self.level = rules.LEVELS[self.option]

    def took(self, branch):
        """Count a branch."""
        self.branches[branch] += 1

    def growth(self, name, k):
        """Return performance year over last base year."""
        return self.given[name][self.year][k] / self.given[name][self.last][k]

    def weighted(self, values, weights):
        """Return the sum over types."""
        return sum((weights[k] * values[k] for k in TYPES), ZERO)


def settle(inputs, year, option, branches=None):
    """Return every line of the settlement of one ACO in one trial."""
    with localcontext() as context:
        context.prec = DIGITS
        book = Book(exact(inputs), year, option, Counter() if branches is None else branches)
        for stage in STAGES:
            stage(book)
        return book.lines


def exact(value):
    """Return numbers as the decimals they are written as; 0.1 is a tenth."""
    if isinstance(value, dict):
        return {key: exact(inner) for key, inner in value.items()}
    return Decimal(repr(value)) if isinstance(value, float) else value


def _renew(book):
    """7: an agreement that has run out before the year is followed by the next one."""
    start, given = book.given["agreement_start"], book.given
    length = since(rules.AGREEMENT_YEARS, start)
    over = book.year >= start + length
    book.took(f"agreement: {'renewed' if over else 'in its term'}")
    if over:
        given["agreement_start"] = start + length
        given["agreement_kind"] = "renewal"
        given["agreement_number"] += 1
        given["regional_agreement_number"] += 1


def mixes(book):
    """1.2: shares of person-years by type in the last base year and in the performance year."""
    for name, year, words in (
        ("base_person_years_share", book.last, "in base year 3"),
        ("person_years_share", book.year, "in performance year"),
    ):
        people = book.given["person_years"][year]
        total = sum(people.values())
        book.lines[name] = {k: people[k] / total for k in TYPES}
        if not all(people.values()):
            book.took(f"type without people: {words}")
    book.lines["total_person_years"] = total


def trended(book):
    """2.1 and 2.2: base years at the last one's risk and prices, weighted."""
    kind = book.given["agreement_kind"]
    weights = rules.BASE_WEIGHTS[kind]
    book.took(f"base weights: {'10/30/60' if kind == 'initial' else 'thirds'}")
    book.lines["trended_benchmark_ppy"] = {
        k: sum((w * _restated(book, k, y) for w, y in zip(weights, book.base, strict=True)), ZERO)
        for k in TYPES
    }


def _restated(book, k, year):
    given, last = book.given, book.last
    risk_ratio = given["risk_score"][last][k] / given["risk_score"][year][k]
    national = given["national_ppy"][last][k] / given["national_ppy"][year][k]
    regional = given["regional_ppy"][last][k] / given["regional_ppy"][year][k]
    share = given["assigned_share"][last][k]
    trend = share * national + (1 - share) * regional
    return given["truncated_expenditure_ppy"][year][k] * risk_ratio * trend


def regional(book):
    """2.3: the regional difference, its weight, its caps, its offset."""
    given, lines, last = book.given, book.lines, book.last
    at_risk = {k: given["risk_score"][last][k] * given["regional_ppy"][last][k] for k in TYPES}
    difference = {k: at_risk[k] - lines["trended_benchmark_ppy"][k] for k in TYPES}
    total = book.weighted(difference, lines["base_person_years_share"])
    weight = _regional_weight(book, total)
    uncapped = {k: weight * difference[k] for k in TYPES}
    offset = _offset(book) if book.by_start["offset"] else ZERO
    adjustment = {k: _capped(book, uncapped[k], k, offset) for k in TYPES}
    lines["regional_at_risk_ppy"] = at_risk
    lines["regional_difference_ppy"] = difference
    lines["weighted_regional_difference_ppy"] = total
    lines["regional_weight_share"] = weight
    lines["uncapped_regional_adjustment_ppy"] = uncapped
    lines["regional_offset_share"] = offset
    lines["regional_adjustment_ppy"] = adjustment
    lines["total_regional_adjustment_ppy"] = book.weighted(
        adjustment, lines["base_person_years_share"]
    )


def _regional_weight(book, total):
    number = min(book.given["regional_agreement_number"], 4)
    table, words = rules.LOWER_SPENDING_WEIGHT, "lower"
    if total < 0:
        table, words = rules.HIGHER_SPENDING_WEIGHT, "higher"
    if total == 0:
        book.took("regional weight: difference exactly zero")
    book.took(f"regional weight: {words} spending, agreement {number if number < 4 else '4+'}")
    return table[number - 1]


def _capped(book, amount, k, offset):
    national = book.given["national_ppy"][book.last][k]
    high, share = rules.POSITIVE_CAP * national, book.by_start["negative_cap"]
    low = -share * national
    if amount > high:
        book.took("regional cap: positive binds")
        return high
    if amount < low:
        book.took(
            f"regional cap: negative binds at {'5%' if share == rules.POSITIVE_CAP else '1.5%'}"
        )
        amount = low
    else:
        book.took("regional cap: does not bind")
    if amount < 0 < offset:
        book.took("regional offset: taken off a negative type")
        amount *= 1 - offset
    return amount


def _offset(book):
    people, spent = (
        book.given[name][book.last] for name in ("person_years", "truncated_expenditure_ppy")
    )
    dollars = {k: people[k] * spent[k] for k in TYPES}
    risk = book.weighted(book.given["risk_score"][book.last], dollars) / sum(dollars.values())
    raw = book.given["dual_share"] + risk - 1
    if raw <= 0:
        book.took("regional offset: held at 0")
        return ZERO
    if raw >= 1:
        book.took("regional offset: held at 1")
        return ONE
    book.took("regional offset: between 0 and 1")
    return raw


def _five_percent(book):
    national = book.given["national_ppy"][book.last]
    return rules.ADJUSTMENT_CAP * book.weighted(national, book.lines["base_person_years_share"])


def prior_savings(book):
    """2.4: half the average of three years' gross savings, prorated, within 5% of national."""
    book.lines["prior_savings_adjustment_ppy"] = (
        _prior_savings(book) if book.by_start["prior_savings"] else ZERO
    )


def _prior_savings(book):
    given = book.given
    average = sum((given["prior_savings_ppy"][y] for y in book.base), ZERO) / 3
    if given["agreement_kind"] == "initial":
        words = "earlier savings set aside" if average > 0 else "none"
        book.took(f"prior savings: initial agreement, {words}")
        return ZERO
    if average <= 0:
        book.took("prior savings: average not above 0")
        return ZERO
    reconciled = sum((given["reconciled_person_years"][y] for y in book.base), ZERO)
    assigned = sum((sum(given["person_years"][y].values()) for y in book.base), ZERO)
    proration = min(ONE, reconciled / assigned)
    book.took(f"prior savings: {'prorated' if proration < 1 else 'in full'}")
    amount = rules.PRIOR_SAVINGS_SHARE * average * proration
    if amount > _five_percent(book):
        book.took("prior savings: capped")
    return min(amount, _five_percent(book))


def population(book):
    """2.5: the share of low-income or dual people of what the 5% cap leaves."""
    book.lines["population_adjustment_ppy"] = (
        _population(book) if book.by_start["population"] else ZERO
    )


def _population(book):
    share, lines = book.given["low_income_share"], book.lines
    if share < rules.POPULATION_MINIMUM:
        book.took("population: below the minimum share")
        return ZERO
    words = "above" if share > rules.POPULATION_MINIMUM else "exactly at"
    book.took(f"population: {words} the minimum share")
    taken = max(
        lines["total_regional_adjustment_ppy"], lines["prior_savings_adjustment_ppy"], ZERO
    )
    return (_five_percent(book) - taken) * share


def higher_of(book):
    """2.6: the one adjustment that applies, and the historical benchmark."""
    lines = book.lines
    adjustment = _highest(book) if book.by_start["higher_of"] else _old(book)
    lines["adjustment_ppy"] = adjustment
    benchmark = {k: lines["trended_benchmark_ppy"][k] + adjustment[k] for k in TYPES}
    lines["historical_benchmark_ppy"] = benchmark
    lines["total_historical_benchmark_ppy"] = book.weighted(
        benchmark, lines["base_person_years_share"]
    )


def _old(book):
    sign = "negative" if book.lines["total_regional_adjustment_ppy"] < 0 else "positive"
    book.took(f"adjustment: old start, regional whatever its sign, {sign}")
    return book.lines["regional_adjustment_ppy"]


def _highest(book):
    region, prior, people = (
        book.lines[f"{name}_adjustment_ppy"]
        for name in ("total_regional", "prior_savings", "population")
    )
    best = max(region, prior, people, ZERO)
    if best == 0:
        book.took("adjustment: none, overall regional not above 0")
        return dict.fromkeys(TYPES, ZERO)
    if best - region <= TIE * best:
        if best - prior <= TIE * best:
            book.took("adjustment: tie of regional and prior savings")
        book.took("adjustment: regional")
        return book.lines["regional_adjustment_ppy"]
    book.took(f"adjustment: {'prior savings' if prior == best else 'population'}")
    return dict.fromkeys(TYPES, best)


def risk_ratios(book):
    """4: growth of the risk score since the last base year, under the cap of the start date."""
    growth = {k: book.growth("risk_score", k) for k in TYPES}
    book.lines["risk_growth_factor"] = growth
    book.lines["demographic_growth_factor"] = {
        k: book.growth("demographic_score", k) for k in TYPES
    }
    cap = _each_type if book.by_start["risk_cap"] == "each type" else _together
    book.lines["risk_ratio_factor"] = cap(book, growth)


def _each_type(book, growth):
    for k in TYPES:
        bound = growth[k] > 1 + rules.RISK_CAP
        book.took(f"risk ratio: each type, {'capped' if bound else 'not capped'}")
    return {k: min(growth[k], 1 + rules.RISK_CAP) for k in TYPES}


def _together(book, growth):
    demographic = {k: book.growth("demographic_score", k) for k in TYPES}
    weights = _risk_weights(book)
    scores, people = book.weighted(growth, weights), book.weighted(demographic, weights)
    if scores <= people + rules.RISK_CAP:
        exactly = scores == people + rules.RISK_CAP
        book.took(
            f"risk ratio: together, {'exactly' if exactly else 'within'} demographic growth "
            "+ 3 points"
        )
        return growth
    held = {k: min(growth[k], demographic[k] + rules.RISK_CAP) for k in TYPES}
    for k in TYPES:
        words = "capped" if held[k] < growth[k] else "not capped"
        book.took(f"risk ratio: together, beyond, type {words}")
    return held


def _risk_weights(book):
    people = book.given["person_years"][book.year]
    dollars = {k: people[k] * book.lines["historical_benchmark_ppy"][k] for k in TYPES}
    return {k: dollars[k] / sum(dollars.values()) for k in TYPES}


def updates(book):
    """3.2 and 3.3: growth to the performance year, two-way and with the prospective trend."""
    two_way = {k: _blend(book, k) for k in TYPES}
    book.lines["two_way_factor"] = two_way
    if not book.by_start["prospective"]:
        book.took("update: two-way")
        book.lines["update_factor"] = two_way
        return
    weight = rules.PROSPECTIVE_SHARE[book.year]
    book.took(f"update: three-way at {'1/6' if weight < rules.THIRD else '1/3'}")
    book.lines["update_factor"] = {
        k: (1 - weight) * two_way[k] + weight * _prospective(book, k) for k in TYPES
    }


def _blend(book, k):
    share = book.given["assigned_share"][book.year][k]
    national, region = book.growth("national_ppy", k), book.growth("regional_ppy", k)
    return share * national + (1 - share) * region * _regional_excess(book)[k]


def _prospective(book, k):
    given, last = book.given, book.last
    flat = given["national_ppy"][last][k] * (book.growth("prospective_factor", k) - 1)
    at_risk = flat * given["risk_score"][last][k]
    return 1 + at_risk / book.lines["historical_benchmark_ppy"][k]


def _regional_excess(book):
    """4.5: what the region's risk growth exceeds its cap by, given back to its trend."""
    if "excess" in book.lines:
        return book.lines["excess"]
    known = "regional_risk_score" in book.given and book.by_start["regional_risk_cap"]
    book.lines["excess"] = _excess(book) if known else dict.fromkeys(TYPES, ONE)
    return book.lines["excess"]


def _excess(book):
    scores = {k: book.growth("regional_risk_score", k) for k in TYPES}
    people = {k: book.growth("regional_demographic_score", k) for k in TYPES}
    weights = _risk_weights(book)
    if book.weighted(scores, weights) <= book.weighted(people, weights) + rules.RISK_CAP:
        each = all(scores[k] <= people[k] + rules.RISK_CAP for k in TYPES)
        book.took(f"regional risk: within its cap{'' if each else ' together, not for each type'}")
        return dict.fromkeys(TYPES, ONE)
    held = {}
    for k in TYPES:
        share = book.given["assigned_share"][book.year][k]
        cap = people[k] + rules.RISK_CAP
        held[k] = min(scores[k], cap + share * (scores[k] - cap))
        words = "capped" if held[k] < scores[k] else "not capped"
        book.took(f"regional risk: beyond its cap, type {words}")
    return {k: scores[k] / held[k] for k in TYPES}


def totals(book):
    """3.1: the updated benchmark and the expenditure, per capita and in dollars."""
    lines, mix = book.lines, book.lines["person_years_share"]
    people = lines["total_person_years"] = lines["total_person_years"] * _year_part(book)
    for name, factor in (("", "update_factor"), ("two_way_", "two_way_factor")):
        benchmark = {
            k: lines["historical_benchmark_ppy"][k]
            * lines["risk_ratio_factor"][k]
            * lines[factor][k]
            for k in TYPES
        }
        if not name:
            lines["updated_benchmark_ppy"] = benchmark
            lines["total_updated_benchmark_ppy"] = book.weighted(benchmark, mix)
        lines[f"{name}benchmark_usd"] = people * book.weighted(benchmark, mix)
    spent = book.given["truncated_expenditure_ppy"][book.year]
    lines["total_expenditure_ppy"] = book.weighted(spent, mix)
    lines["expenditure_usd"] = people * lines["total_expenditure_ppy"]


def _year_part(book):
    """7: the first performance year of agreements of July 2019 is half of the year 2019."""
    part = _part(book)
    book.took(f"year: {'whole' if part == 1 else 'half of 2019'}")
    return part


def minimum(book):
    """5: the minimum savings rate, and the minimum loss rate of two-sided levels."""
    persons, elected = book.given["persons"][book.year], book.given["elected_minimum_savings"]
    rate = by_size(persons)
    book.took(_size(persons))
    if not book.level["two_sided"]:
        book.took("minimum: one-sided, by size")
    elif elected < 0:
        book.took("minimum: variable elected")
    elif persons < rules.MINIMUM_PERSONS:
        book.took("minimum: below 5,000 people, elected one set aside")
    else:
        book.took(f"minimum: {'fixed above 0' if elected > 0 else '0'} elected")
        rate = elected
    book.lines["minimum_savings_share"] = rate
    book.lines["minimum_losses_share"] = rate if book.level["two_sided"] else ONE


def by_size(persons):
    """Return the minimum savings rate of the table in 5.1."""
    for low, high, at_low, at_high in rules.MINIMUM_SAVINGS:
        if persons <= high:
            return (at_low * (high - persons) + at_high * (persons - low)) / (high - low)
    return rules.MINIMUM_SAVINGS_BEYOND


def _size(persons):
    if persons < rules.MINIMUM_SAVINGS[1][0]:
        return "minimum: below 500 people"
    beyond = persons > rules.MINIMUM_SAVINGS[-1][1]
    return f"minimum: {'60,000 people and more' if beyond else 'interpolated'}"


def guardrail(book):
    """3.4 and 9, line 8: no loss that the two-way blend would not also have made."""
    lines = book.lines
    spent, before, other = (
        lines[name] for name in ("expenditure_usd", "benchmark_usd", "two_way_benchmark_usd")
    )
    lines["barred"] = False
    if book.by_start["guardrail"] and book.level["two_sided"]:
        words = _guarded(lines["minimum_losses_share"], spent, before, other)
        book.took(f"guardrail: {words}")
        if words not in ("not reached", "two-way not better"):
            lines["benchmark_usd"] = other
        lines["barred"] = words == "a gain, neither loss nor savings"
    lines["guardrail_usd"] = lines["benchmark_usd"] - before
    gross = lines["benchmark_usd"] - spent
    lines["gross_savings_usd"] = gross
    lines["savings_share"] = gross / lines["benchmark_usd"]
    for name in ("minimum_savings", "minimum_losses"):
        lines[f"{name}_usd"] = lines[f"{name}_share"] * lines["benchmark_usd"]


def _guarded(rate, spent, before, other):
    if before >= spent or spent - before < rate * before:
        return "not reached"
    if other <= before:
        return "two-way not better"
    if other > spent:
        return "a gain, neither loss nor savings"
    return f"smaller loss, {'still at' if spent - other >= rate * other else 'below'} MLR"


def quality(book):
    """6.2: the score with any lift, the part of the maximum rate it earns, whether it failed."""
    score, rule = _lifted(book), book.by_year["quality"]
    alternative = book.given["outcome_quality_met"] == 1
    by_score = score >= book.by_year["threshold"]
    met = by_score or (rule == rules.SCALED and _by_reporting(book))
    words, share = rule, ONE
    if rule == rules.SCORE:
        share = score
    elif rule == rules.ALL_OR_NOTHING:
        words, share = (f"{rule}, met", ONE) if met else (f"{rule}, missed", ZERO)
    elif rule == rules.SCALED:
        words, share = _scaled(met, alternative, score)
    if words == "met" and score == book.by_year["threshold"]:
        book.took("quality: met exactly at the threshold")
    if words == "met" and not by_score:
        book.took("quality: met by reporting, not by score")
    book.took(f"quality: {words}")
    book.lines["final_quality_score"] = score
    book.lines["quality_share"] = share
    book.lines["failed"] = words in ("neither", f"{rules.ALL_OR_NOTHING}, missed")


def _lifted(book):
    """6.2: an affected ACO has the threshold at least; from a fifth of its people on (assumed)."""
    own, threshold = book.given["quality_score"], book.by_year["threshold"]
    if book.by_year["quality"] == rules.SCORE:
        return own
    if book.given["affected_people_share"] < rules.LIFT_PEOPLE:
        return own
    book.took(f"quality lift: {'not needed' if own >= threshold else 'to the threshold'}")
    return max(own, threshold)


def _by_reporting(book):
    given = book.given
    first = given["agreement_kind"] == "initial" and given["agreement_number"] == 1
    if first and book.start == book.year and given["first_year_reported"] == 1:
        book.took("quality: first year, reported in full")
        return True
    if given["incentive_met"] == 1:
        book.took("quality: reporting incentive")
        return True
    return False


def _scaled(met, alternative, score):
    if met:
        return "met", ONE
    return ("alternative, scaled", score) if alternative else ("neither", ZERO)


def savings(book):
    """5.2, 5.3, 6.3 and 9, line 10: sharing, sequestration, then the payment limit."""
    lines, gross = book.lines, book.lines["gross_savings_usd"]
    rate = _sharing(book) if gross > 0 else ZERO
    if gross == 0:
        book.took("settled: exactly at the benchmark")
    shared = gross * rate
    sequestered = shared * book.by_year["sequestration"]
    limit = book.level["payment_limit"] * lines["benchmark_usd"]
    paid = min(shared - sequestered, limit)
    if shared > 0:
        book.took(f"sequestration: {'2%' if sequestered else 'none'}")
        binds = paid < shared - sequestered
        book.took(f"payment limit: {'binds' if binds else 'does not bind'}")
    lines["sharing_share"] = rate
    lines["full_sharing_share"] = book.level["rate"] * lines["quality_share"]
    lines["shared_savings_usd"] = shared
    lines["sequestration_usd"] = -sequestered
    lines["payment_limit_usd"] = limit
    lines["over_limit_usd"] = paid - (shared - sequestered)
    lines["paid"] = paid


def _sharing(book):
    lines, gross = book.lines, book.lines["gross_savings_usd"]
    full = book.level["rate"] * lines["quality_share"]
    if lines["barred"]:
        book.took("savings: barred by the guardrail")
        return ZERO
    # 6.5: savings are shared only if the ACO stays to the end of the year.
    if book.given["participation_share"] < 1:
        book.took("savings: barred by termination")
        return ZERO
    if full == 0:
        book.took("savings: earned but quality gives nothing")
        return ZERO
    if gross < lines["minimum_savings_usd"]:
        return _reduced(book, full)
    if gross == lines["minimum_savings_usd"]:
        book.took("savings: exactly at the minimum")
    book.took("savings: at or above the minimum")
    return full


def _reduced(book, full):
    given = book.given
    eligible = (
        book.by_start["reduced_sharing"]
        and book.level["basic"]
        and given["revenue_class"] == "low"
        and given["persons"][book.year] >= rules.MINIMUM_PERSONS
    )
    # 7: agreements of 2027 and later need 5,000 people in base years 1 and 2 as well.
    small = book.start >= 2027 and any(
        given["persons"][y] < rules.MINIMUM_PERSONS for y in book.base[:2]
    )
    if eligible and small:
        book.took("savings: below the minimum, too few base-year people for reduced sharing")
    elif eligible:
        book.took("savings: below the minimum, reduced sharing")
        return rules.REDUCED * full
    else:
        book.took("savings: below the minimum")
    return ZERO


def losses(book):
    """6.4 and 9, line 11: rate, limit, circumstances, termination."""
    lines = book.lines
    rate, limit = _loss_rate(book), _loss_limit(book)
    loss = -lines["gross_savings_usd"] * rate
    held = min(loss, limit)
    share = _circumstances(book, held)
    relieved = held * share
    stays = _owed_months(book)
    if held:
        part = "nothing owed" if stays == 0 else "losses prorated"
        book.took(f"termination: {part if stays < 1 else 'none'}")
    lines["loss_share"] = rate
    lines["full_loss_share"] = _full_loss_rate(book)
    lines["shared_losses_usd"] = -loss
    lines["loss_limit_usd"] = limit
    lines["loss_limit_relief_usd"] = loss - held
    lines["circumstances_relief_usd"] = relieved
    lines["termination_relief_usd"] = (held - relieved) * (1 - stays)
    lines["owed"] = (held - relieved) * stays
    if held:
        _which_limit(book, loss, held)


def _loss_rate(book):
    lines, gross = book.lines, book.lines["gross_savings_usd"]
    if gross >= 0:
        return ZERO
    if not book.level["two_sided"]:
        book.took("losses: one-sided, none shared")
        return ZERO
    if -gross < lines["minimum_losses_usd"]:
        book.took("losses: below the minimum")
        return ZERO
    if -gross == lines["minimum_losses_usd"]:
        book.took("losses: exactly at the minimum")
    book.took("losses: at or above the minimum")
    if book.level["basic"]:
        book.took("loss rate: 30%")
        return rules.BASIC_LOSS_RATE
    return _enhanced_loss_rate(book)


def _enhanced_loss_rate(book):
    terms = rules.ENHANCED_LOSS_RATE
    if book.lines["failed"]:
        book.took("loss rate: quality failed")
        return terms["failed"]
    raw = 1 - terms["quality"] * book.lines["final_quality_score"]
    words = "floor" if raw < terms["floor"] else "by quality"
    book.took(f"loss rate: {'ceiling' if raw > terms['ceiling'] else words}")
    return max(terms["floor"], min(terms["ceiling"], raw))


def _full_loss_rate(book):
    """The rate had the losses met their minimum, whether or not there are any."""
    if not book.level["two_sided"]:
        return ZERO
    if book.level["basic"]:
        return rules.BASIC_LOSS_RATE
    terms = rules.ENHANCED_LOSS_RATE
    if book.lines["failed"]:
        return terms["failed"]
    by_quality = 1 - terms["quality"] * book.lines["final_quality_score"]
    return min(max(by_quality, terms["floor"]), terms["ceiling"])


def _loss_limit(book):
    if not book.level["two_sided"]:
        return ZERO
    of_revenue, of_benchmark = book.level["loss_limit"]
    limit = of_benchmark * book.lines["benchmark_usd"]
    if of_revenue is None:
        return limit
    return min(of_revenue * book.given["revenue_usd"] * _part(book), limit)


def _part(book):
    return rules.HALF if book.year == book.start == 2019 else ONE


def _which_limit(book, loss, held):
    of_benchmark = book.level["loss_limit"][1] * book.lines["benchmark_usd"]
    words = "does not bind"
    if loss > held:
        words = "benchmark binds" if held == of_benchmark else "revenue binds"
    book.took(f"loss limit: {words}")


def _circumstances(book, held):
    attacked = book.given["cyberattack_months_share"] if book.year >= rules.CYBERATTACK else ZERO
    both = book.by_year["nationwide"] + book.given["circumstances_share"] + attacked
    if held:
        words = "none" if both == 0 else "part" if both < 1 else "all"
        book.took(f"circumstances: {words}")
        if both > 1:
            book.took("circumstances: more than all together")
        if book.given["cyberattack_months_share"]:
            book.took(f"cyberattack: {'relieved' if attacked else 'before it counts'}")
    return min(ONE, both)


def _owed_months(book):
    """6.5: months of the year that losses are owed for; none if left by choice up to June."""
    stays = book.given["participation_share"]
    if stays < 1 and book.given["termination_kind"] == "voluntary" and stays <= rules.HALF:
        return ZERO
    return stays


def advances(book):
    """6.6: what is paid in advance in the year, to whom it is open."""
    given, shares = book.given, book.given["deprivation_share"]
    kinds = (given["agreement_kind"], given["agreement_experience"], given["revenue_class"])
    elapsed = book.year - book.start
    book.lines["aip_payment_usd"] = ZERO
    if not sum(shares.values()):
        return
    if kinds != ("initial", "inexperienced", "low") or book.start < 2024:
        book.took("advance: not open to it")
    elif not book.level["basic"]:
        book.took("advance: not in ENHANCED")
    elif elapsed >= 2:
        book.took("advance: two years are over")
    else:
        book.lines["aip_payment_usd"] = _advance(book, shares, elapsed)


def _advance(book, shares, elapsed):
    persons = min(book.given["persons"][book.year], 10_000)
    book.took(f"advance: {'at' if persons == 10_000 else 'below'} 10,000 people")
    rate = sum((share * since(rules.ADVANCE, rank) for rank, share in shares.items()), ZERO)
    stays = book.given["participation_share"]
    quarters = next(q for q in range(5) if Decimal(q) / 4 >= stays)
    once = 250_000 if elapsed == 0 and quarters else 0
    book.took(f"advance: year {elapsed + 1}, {'all' if quarters == 4 else 'not all'} quarters")
    return once + quarters * rate * persons


def settlement(book):
    """9, lines 10 to 12: what is earned or owed, and what changes hands."""
    lines = book.lines
    balance = book.given["aip_balance_usd"] + lines["aip_payment_usd"]
    earned = lines.pop("paid") - lines.pop("owed")
    recouped = min(max(earned, ZERO), balance)
    lines["unshared_usd"] = (
        lines["gross_savings_usd"] - lines["shared_savings_usd"] - lines["shared_losses_usd"]
    )
    lines["settlement_usd"] = earned
    lines["aip_recoupment_usd"] = -recouped
    lines["aip_outstanding_usd"] = balance - recouped
    lines["payment_usd"] = earned - recouped
    _count_recoupment(book, recouped, balance)
    for inner in ("barred", "failed", "excess"):
        lines.pop(inner, None)


def _count_recoupment(book, recouped, balance):
    if balance == 0:
        book.took("advance: nothing outstanding")
    elif recouped == balance:
        book.took("advance: recouped in full")
    else:
        book.took(f"advance: {'recouped in part' if recouped else 'no payment to recoup from'}")


def repayment(book):
    """6.7: the surety of two-sided levels."""
    if not book.level["two_sided"]:
        book.took("repayment mechanism: none, one-sided")
        book.lines["repayment_mechanism_usd"] = ZERO
        return
    if book.start < 2022:
        book.took("repayment mechanism: start before 2022")
    kind = "basic" if book.level["basic"] else "enhanced"
    of_expenditure, of_revenue = since(rules.REPAYMENT, book.start)[kind]
    amount = of_expenditure * book.lines["expenditure_usd"] / _part(book)
    other = amount if of_revenue is None else of_revenue * book.given["revenue_usd"]
    book.took(f"repayment mechanism: share of {'revenue' if other < amount else 'expenditure'}")
    book.lines["repayment_mechanism_usd"] = min(amount, other)


STAGES = (
    mixes,
    trended,
    regional,
    prior_savings,
    population,
    higher_of,
    risk_ratios,
    updates,
    totals,
    minimum,
    guardrail,
    quality,
    savings,
    losses,
    advances,
    settlement,
    repayment,
)
