"""The Shared Savings Program's parameters, copied by hand from the rules note (not the code)."""

from decimal import Decimal

D = Decimal
THIRD = D(1) / 3
HALF = D("0.5")

# Note 7: calendar years of an agreement; that of July 2019 runs five and a half.
AGREEMENT_YEARS = {2019: 6, 2020: 5}

# Note 2.1: weights of base years 1, 2 and 3.
BASE_WEIGHTS = {
    "initial": (D("0.10"), D("0.30"), D("0.60")),
    "renewal": (THIRD, THIRD, 1 - 2 * THIRD),
    "reentering": (THIRD, THIRD, 1 - 2 * THIRD),
}

# Note 2.3: by the agreement periods subject to a regional adjustment so far, the last for more.
LOWER_SPENDING_WEIGHT = (D("0.35"), D("0.50"), D("0.50"), D("0.50"))
HIGHER_SPENDING_WEIGHT = (D("0.15"), D("0.25"), D("0.35"), D("0.50"))
POSITIVE_CAP = D("0.05")

# Notes 2.3 to 2.6, 3.2, 3.4, 4, 5.3: what the start of the agreement decides.
OLD_START = {
    "negative_cap": D("0.05"),
    "offset": False,
    "higher_of": False,
    "prior_savings": False,
    "population": False,
    "prospective": False,
    "guardrail": False,
    "risk_cap": "each type",
    "regional_risk_cap": False,
    "reduced_sharing": False,
}
START_2024 = {
    "negative_cap": D("0.015"),
    "offset": True,
    "higher_of": True,
    "prior_savings": True,
    "population": False,
    "prospective": True,
    "guardrail": True,
    "risk_cap": "all types together",
    "regional_risk_cap": True,
    "reduced_sharing": True,
}
STARTS = {2019: OLD_START, 2024: START_2024, 2025: START_2024 | {"population": True}}

PRIOR_SAVINGS_SHARE = D("0.5")
ADJUSTMENT_CAP = D("0.05")  # notes 2.4 and 2.5: of the national per capita at the ACO's mix
POPULATION_MINIMUM = D("0.15")
RISK_CAP = D("0.03")
MINIMUM_PERSONS = 5000
REDUCED = D("0.5")

# Note 5.1: lowest and highest head-count of a row, the MSR at each.
MINIMUM_SAVINGS = (
    (1, 499, D("0.122"), D("0.122")),
    (500, 999, D("0.122"), D("0.087")),
    (1000, 2999, D("0.087"), D("0.050")),
    (3000, 4999, D("0.050"), D("0.039")),
    (5000, 5999, D("0.039"), D("0.036")),
    (6000, 6999, D("0.036"), D("0.034")),
    (7000, 7999, D("0.034"), D("0.032")),
    (8000, 8999, D("0.032"), D("0.031")),
    (9000, 9999, D("0.031"), D("0.030")),
    (10000, 14999, D("0.030"), D("0.027")),
    (15000, 19999, D("0.027"), D("0.025")),
    (20000, 49999, D("0.025"), D("0.022")),
    (50000, 59999, D("0.022"), D("0.020")),
)
MINIMUM_SAVINGS_BEYOND = D("0.020")

# Note 6.1: loss limits are (of revenue, of benchmark).
LEVELS = {
    "A": {"two_sided": False, "basic": True, "rate": D("0.40"), "payment_limit": D("0.10")},
    "B": {"two_sided": False, "basic": True, "rate": D("0.40"), "payment_limit": D("0.10")},
    "C": {
        "two_sided": True,
        "basic": True,
        "rate": D("0.50"),
        "payment_limit": D("0.10"),
        "loss_limit": (D("0.02"), D("0.01")),
    },
    "D": {
        "two_sided": True,
        "basic": True,
        "rate": D("0.50"),
        "payment_limit": D("0.10"),
        "loss_limit": (D("0.04"), D("0.02")),
    },
    "E": {
        "two_sided": True,
        "basic": True,
        "rate": D("0.50"),
        "payment_limit": D("0.10"),
        "loss_limit": (D("0.08"), D("0.04")),
    },
    "ENHANCED": {
        "two_sided": True,
        "basic": False,
        "rate": D("0.75"),
        "payment_limit": D("0.20"),
        "loss_limit": (None, D("0.15")),
    },
}
BASIC_LOSS_RATE = D("0.30")
ENHANCED_LOSS_RATE = {
    "quality": D("0.75"),
    "floor": D("0.40"),
    "ceiling": D("0.75"),
    "failed": D("0.75"),
}

# Notes 6.2 to 6.4 and 3.2: what the performance year decides.
SCORE, ALL_OR_NOTHING, SCALED = "rate times score", "all or nothing", "met or scaled"
YEARS = {
    2019: {"quality": SCORE, "threshold": D(0), "sequestration": D(0), "nationwide": D(0)},
    2020: {"quality": SCORE, "threshold": D(0), "sequestration": D(0), "nationwide": D(1)},
    2021: {
        "quality": ALL_OR_NOTHING,
        "threshold": D("0.6173"),
        "sequestration": D("0.02"),
        "nationwide": D(1),
    },
    2022: {
        "quality": "deemed met",
        "threshold": D("0.7063"),
        "sequestration": D("0.02"),
        "nationwide": D(1),
    },
    2023: {
        "quality": SCALED,
        "threshold": D("0.6576"),
        "sequestration": D("0.02"),
        "nationwide": D(5) / 12,
    },
    2024: {"quality": SCALED, "threshold": D("0.7705")},
    2025: {"quality": SCALED, "threshold": D("0.7670")},
    2026: {"quality": SCALED, "threshold": D("0.7385")},
    # Not published: the threshold of the year before is carried.
    2027: {"quality": SCALED, "threshold": D("0.7385")},
}
for _year in (2024, 2025, 2026, 2027):
    YEARS[_year] |= {"sequestration": D("0.02"), "nationwide": D(0)}
# Note 6.2: which people must be affected is not in it; a fifth is from memory.
LIFT_PEOPLE = D("0.2")
# Note 6.4: from this performance year on, and then for all assigned people.
CYBERATTACK = 2025
# Note 6.6: dollars a quarter and person, by national rank of deprivation.
ADVANCE = {1: 0, 25: 20, 35: 24, 45: 28, 55: 32, 65: 36, 75: 40, 85: 45}
PROSPECTIVE_SHARE = {2024: D(1) / 6, 2025: THIRD, 2026: THIRD, 2027: THIRD}

# Note 6.7: shares of expenditure and of revenue, by start of the agreement.
REPAYMENT = {
    2019: {"basic": (D("0.01"), D("0.02")), "enhanced": (D("0.01"), None)},
    2022: {"basic": (D("0.005"), D("0.01")), "enhanced": (D("0.005"), None)},
}


def since(table, year):
    """Return the entry of the latest key that is not after the year."""
    return table[max(key for key in table if key <= year)]
