"""LEAD a second time: slow, in decimals, one ACO a call, from the pseudo-code of the rules note.

Written from section 10 of the note and the parameters of section 11, not from the contract. Every
amount is per person-year (1 PBPM is 12 of these). `BRANCHES` are the turns a case may take.
"""

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

THIRD = Decimal(1) / 3
WEIGHTS = {
    "renewing": (THIRD, THIRD, THIRD),
    "newly_entering": (Decimal("0.10"), Decimal("0.30"), Decimal("0.60")),
}
HIGHER_DISCOUNT = {2027: "0.0175", 2028: "0.02", 2029: "0.0225", 2030: "0.025", 2031: "0.0275"}
RAIL_DOWN = {2027: "0.002", 2028: "0.004", 2029: "0.006", 2030: "0.008"}
RAIL_UP = {2027: "0.003", 2028: "0.006", 2029: "0.009", 2030: "0.012"}
AI = {2027: Decimal(0), 2028: Decimal(0), 2029: THIRD, 2030: 2 * THIRD}
RISK_CAP = {"aged_disabled": "0.03", "high_needs": "0.04", "esrd": "0.03"}
GLOBAL = ((Decimal("0.15"), Decimal(1)), (Decimal("0.35"), Decimal("0.5")))
GLOBAL = (*GLOBAL, (Decimal("0.50"), Decimal("0.25")), (None, Decimal("0.10")))
EDGES = (Decimal("0.10"), Decimal("0.15"), Decimal("0.20"), None)
GAINS = (Decimal("0.60"), Decimal("0.35"), Decimal("0.15"), Decimal("0.05"))
LOSSES = (Decimal("0.50"), Decimal("0.35"), Decimal("0.15"), Decimal("0.05"))
TABLES = {
    ("global", 1): GLOBAL,
    ("global", -1): GLOBAL,
    ("professional", 1): tuple(zip(EDGES, GAINS, strict=True)),
    ("professional", -1): tuple(zip(EDGES, LOSSES, strict=True)),
}
BRANCHES = (
    "entry: renewing",
    "entry: newly entering",
    "base year: left out, few people",
    "base year: left out, score zero",
    "cell: absent in base years",
    "designation: stored",
    "designation: lower",
    "designation: higher",
    "designation: tie",
    "region: not for this option or designation",
    "region: under its cap",
    "region: 3% cap",
    "region: 5% cap",
    "region: negative cell in a lower-spending ACO",
    "prior savings: none",
    "prior savings: average negative",
    "prior savings: under the cap",
    "prior savings: capped",
    "prior savings: prorated",
    "adjustment: regional",
    "adjustment: prior savings",
    "forecast: within its rails",
    "forecast: upper rail",
    "forecast: lower rail",
    "score: HCC alone",
    "score: blended",
    "score: inferred alone",
    "risk: free",
    "risk: upper cap",
    "risk: lower cap",
    "rate book: not yet",
    "rate book: in part",
    "rate book: in full",
    "voluntary: within its band",
    "voluntary: held up",
    "voluntary: held down",
    "voluntary: no history",
    "stop-loss: elected",
    "stop-loss: not elected",
    "discount: lower-spending",
    "discount: higher-spending",
    "discount: none",
    "quality: nothing earned",
    "quality: part earned",
    "quality: all earned",
    "quality: no improvement shown",
    "episodes: closed",
    "episodes: gain",
    "episodes: loss",
    "benchmark: not positive",
    "share: band 1 of savings",
    "share: band 2 of savings",
    "share: band 3 of savings",
    "share: band 4 of savings",
    "share: band 1 of losses",
    "share: band 2 of losses",
    "share: band 3 of losses",
    "share: band 4 of losses",
    "exit within the year: savings lost",
    "exit within the year: losses stay",
    "add-on: paid",
    "add-on: none",
    "enhanced capitation: to its target",
    "enhanced capitation: at its floor",
)


@dataclass
class Book:
    """One ACO's year while it is being settled."""

    given: dict
    py: int
    option: str
    taken: Counter
    lines: dict = field(default_factory=dict)

    def __post_init__(self):
        self.cells = self.given["cells"]
        self.base = tuple(self.given["start"] - back for back in (3, 2, 1))
        self.last = self.base[-1]
        self.absent = set()


def settle(given, py, option, taken):
    """Return the lines of one ACO's year, and count the branches in `taken`."""
    book = Book(given, py, option, taken)
    steps = (_scores, _history, _designation, _regional, _adjusted, _updated, _voluntary)
    for step in (*steps, _before_discount, _benchmark, _expenditure, _settled, _cash):
        step(book)
    return book.lines


def _scores(book):
    ai = AI.get(book.py, Decimal(1))
    kind = {Decimal(0): "HCC alone", Decimal(1): "inferred alone"}.get(ai, "blended")
    book.taken[f"score: {kind}"] += 1
    book.score = {
        c: (1 - ai) * x["risk"][book.py] + ai * x["inferred"][book.py]
        for c, x in book.cells.items()
    }


def _history(book):
    """Steps 1 to 3: base years carried to the last one and weighted."""
    entry = book.given["entry"]
    book.taken[f"entry: {entry.replace('_', ' ')}"] += 1
    book.hb = {c: _cell_history(book, c, x, WEIGHTS[entry]) for c, x in book.cells.items()}
    book.lines["trended_benchmark_ppy"] = book.hb
    book.reference = {
        c: book.score[c] if c in book.absent or x["risk"][book.last] == 0 else x["risk"][book.last]
        for c, x in book.cells.items()
    }


def _cell_history(book, c, x, weights):
    kept = []
    for k, weight in zip(book.base, weights, strict=True):
        if x["people"][k] < 10:
            book.taken["base year: left out, few people"] += 1
        elif x["risk"][k] == 0:
            book.taken["base year: left out, score zero"] += 1
        else:
            kept.append((k, weight))
    if not kept:
        book.taken["cell: absent in base years"] += 1
        book.absent.add(c)
        return x["region"][book.last] * book.score[c]
    whole, last, total = sum(weight for _, weight in kept), book.last, Decimal(0)
    for k, weight in kept:
        national, regional = x["nation"][last] / x["nation"][k], x["region"][last] / x["region"][k]
        trend = x["share"] * national + (1 - x["share"]) * regional if k != last else 1
        total += weight / whole * _net(x, k) * trend * x["risk"][last] / x["risk"][k]
    return total


def _designation(book):
    """Step 4: who spends less than the region."""
    cells, last = book.cells, book.last
    everyone = sum(x["people"][last] for x in cells.values())
    book.mix = {
        c: x["people"][last] / everyone if everyone else everyone for c, x in cells.items()
    }
    book.diff = {c: x["region"][last] * book.reference[c] - book.hb[c] for c, x in cells.items()}
    d = sum(book.mix[c] * book.diff[c] for c in cells)
    stored = book.given["designation"]
    if stored != "open":
        book.taken["designation: stored"] += 1
    else:
        book.taken["designation: " + ("lower" if d > 0 else "tie" if d == 0 else "higher")] += 1
    book.lower = d > 0 if stored == "open" else stored == "lower"
    book.lines["weighted_regional_difference_ppy"] = d
    book.lines["lower_spending"] = Decimal(int(book.lower))


def _regional(book):
    """Step 5: the regional efficiency adjustment."""
    former = book.given["entry"] == "renewing" and book.given["prior"] == "mssp"
    cap = Decimal("0.03") if former else Decimal("0.05")
    book.rea = dict.fromkeys(book.cells, Decimal(0))
    if not book.lower or book.option != "global":
        book.taken["region: not for this option or designation"] += 1
    else:
        for c, x in book.cells.items():
            ceiling = cap * x["uspcc"] * book.reference[c]
            book.rea[c] = min(book.diff[c] / 2, ceiling)
            capped = book.rea[c] == ceiling
            book.taken[f"region: {cap:.0%} cap" if capped else "region: under its cap"] += 1
            if book.diff[c] < 0:
                book.taken["region: negative cell in a lower-spending ACO"] += 1
    if sum(book.mix[c] * book.rea[c] for c in book.cells) < 0:
        book.rea = dict.fromkeys(book.cells, Decimal(0))


def _adjusted(book):
    """Steps 6 and 7: the larger of the two adjustments."""
    of_region = sum(book.mix[c] * book.rea[c] for c in book.cells)
    psa = _prior_savings(book.given, book.base, book.mix, book.reference, book.taken)
    regional_it_is = psa <= of_region * (1 + Decimal("1e-9"))
    book.taken["adjustment: " + ("regional" if regional_it_is else "prior savings")] += 1
    book.ab = {
        c: book.hb[c] + (0 if c in book.absent else book.rea[c] if regional_it_is else psa)
        for c in book.cells
    }
    book.lines["total_regional_adjustment_ppy"] = of_region
    book.lines["prior_savings_adjustment_ppy"] = psa
    book.lines["historical_benchmark_ppy"] = book.ab


def _updated(book):
    """Steps 8 to 10: update, capped risk, rate book."""
    rho = Decimal(int(book.py >= 2032)) * book.given["phase"]
    kind = {Decimal(0): "not yet", Decimal(1): "in full"}.get(rho, "in part")
    book.taken[f"rate book: {kind}"] += 1
    update, ratio, book.ub = {}, {}, {}
    for c, x in book.cells.items():
        update[c], ratio[c] = _update(book, x), _ratio(book, c, x)
        own = book.ab[c] * update[c] * ratio[c]
        rate = x["rate_book"][book.py] * book.reference[c] * ratio[c]
        book.ub[c] = (1 - rho) * own + rho * rate
    book.lines["update_factor"], book.lines["risk_ratio_factor"] = update, ratio


def _update(book, x):
    py, last = book.py, book.last
    two_way = x["share"] * x["nation"][py] / x["nation"][last]
    two_way += (1 - x["share"]) * x["region"][py] / x["region"][last]
    low = two_way - Decimal(RAIL_DOWN.get(py, "0.010"))
    high = two_way + Decimal(RAIL_UP.get(py, "0.015"))
    forecast = x["forecast"][py] / x["forecast"][last]
    where = "upper rail" if forecast > high else "lower rail" if forecast < low else None
    book.taken[f"forecast: {where or 'within its rails'}"] += 1
    return 2 * two_way / 3 + min(max(forecast, low), high) / 3


def _ratio(book, c, x):
    free = book.score[c] / book.reference[c] if book.reference[c] else Decimal(1)
    k = Decimal(RISK_CAP[x["category"]])
    where = "upper cap" if free > 1 + k else "lower cap" if free < 1 - k else "free"
    book.taken[f"risk: {where}"] += 1
    return min(max(free, 1 - k), 1 + k)


def _voluntary(book):
    """Section 3.7: within 10% of the claims-aligned cell."""
    for c, x in book.cells.items():
        if not x["voluntary"]:
            continue
        claims, own = book.ub[x["category"]], book.ub[c]
        low, high = claims * Decimal("0.9"), claims * Decimal("1.1")
        where = "held up" if own < low else "held down" if own > high else "within its band"
        where = "no history" if c in book.absent else where
        book.taken[f"voluntary: {where}"] += 1
        book.ub[c] = claims if c in book.absent else min(max(own, low), high)
    book.lines["updated_benchmark_ppy"] = book.ub


def _before_discount(book):
    """Step 11: the benchmark before discount, less the charge for stop-loss."""
    elected = book.given["stop_loss"]
    book.taken["stop-loss: " + ("elected" if elected else "not elected")] += 1
    people = sum(x["people"][book.py] for x in book.cells.values())
    book.pb = sum(x["people"][book.py] * book.ub[c] for c, x in book.cells.items())
    book.pb -= book.given["charge"] * people * elected
    book.lines["benchmark_before_discount_usd"] = book.pb


def _benchmark(book):
    """Steps 12 and 13: discount and quality."""
    rate, kind = Decimal(0), "none"
    if book.option == "global":
        higher = Decimal(HIGHER_DISCOUNT.get(book.py, "0.03"))
        rate = Decimal("0.03") if book.lower else higher
        kind = "lower-spending" if book.lower else "higher-spending"
    book.taken[f"discount: {kind}"] += 1
    after = book.pb * (1 - rate)
    earned = book.given["quality"]
    book.taken["quality: " + {0: "nothing", 1: "all"}.get(earned, "part") + " earned"] += 1
    if not book.given["improved"]:
        book.taken["quality: no improvement shown"] += 1
        earned /= 2
    book.b = after * (1 - Decimal("0.03") * (1 - earned))
    book.lines["discount_usd"], book.lines["benchmark_usd"] = after - book.pb, book.b


def _expenditure(book):
    """Step 14: what was spent, episodes and stop-loss included."""
    given, cara = book.given, Decimal(0)
    if book.option == "global" and book.py >= 2028:
        delta = given["target"] * (1 + given["premium"]) - given["episodes"]
        book.taken["episodes: " + ("gain" if delta > 0 else "loss")] += 1
        agreed = min(max(given["performance"], Decimal("0.10")), Decimal(1))
        cara = delta * agreed if delta > 0 else delta
    else:
        book.taken["episodes: closed"] += 1
    book.x = sum(x["people"][book.py] * _net(x, book.py) for x in book.cells.values())
    book.x += cara - given["payout"] * given["stop_loss"]
    book.lines["cara_usd"], book.lines["expenditure_usd"] = cara, book.x


def _settled(book):
    """Steps 15 to 17: corridors, exit within the year, sequestration."""
    g, shared = book.b - book.x, Decimal(0)
    sign = 1 if g > 0 else -1
    if book.b <= 0:
        book.taken["benchmark: not positive"] += 1
    elif g != 0:
        table = TABLES[book.option, sign]
        shared = sign * _corridor(abs(g) / book.b, table, sign, book.taken) * book.b
    if book.given["months"] < 1 and shared != 0:
        what = "savings lost" if shared > 0 else "losses stay"
        book.taken[f"exit within the year: {what}"] += 1
        shared = min(shared, Decimal(0))
    book.net = shared * Decimal("0.98") if shared > 0 else shared
    book.lines["gross_savings_usd"], book.lines["settlement_usd"] = g, book.net


def _cash(book):
    """Steps 18 to 21: what changes hands, and the guarantee."""
    pays = not book.lower and book.py < 2032
    add_on = Decimal("0.015") * book.pb * pays
    book.taken["add-on: " + ("paid" if add_on else "none")] += 1
    pcc = book.given["pcc"] * book.pb
    target, floor = Decimal("0.07") * book.pb - pcc, Decimal("0.02") * book.pb
    where = "at its floor" if floor > target else "to its target"
    book.taken[f"enhanced capitation: {where}"] += 1
    epcc = max(target, floor, Decimal(0))
    prior = sum(x["people"][book.last] * _net(x, book.last) for x in book.cells.values())
    part = Decimal("0.04") if book.option == "global" else Decimal("0.02")
    book.lines |= {
        "add_on_usd": add_on,
        "enhanced_pcc_usd": epcc,
        "payment_usd": book.net - epcc,
        "economic_result_usd": book.net + add_on,
        "financial_guarantee_usd": part * prior,
    }


def _net(x, k):
    return x["spent"][k] - x["suspect"][k] - Decimal("0.65") * x["skin"][k]


def _prior_savings(given, base, mix, reference, taken):
    saved = []
    for k in base:
        people = sum(x["people"][k] for x in given["cells"].values())
        part = min(given["reconciled"][k] / people, Decimal(1)) if people else Decimal(0)
        if part < 1 and given["saved"][k]:
            taken["prior savings: prorated"] += 1
        saved.append(part * given["saved"][k])
    average = sum(saved) / 3
    cap = Decimal("0.05") * sum(
        mix[c] * x["uspcc"] * reference[c] for c, x in given["cells"].items()
    )
    if average == 0:
        taken["prior savings: none"] += 1
    elif average < 0:
        taken["prior savings: average negative"] += 1
    else:
        where = "capped" if average / 2 > cap else "under the cap"
        taken[f"prior savings: {where}"] += 1
    return max(min(average / 2, cap), Decimal(0))


def _corridor(share, table, sign, taken):
    """Return the part of the benchmark that is shared, band after band."""
    total, low = Decimal(0), Decimal(0)
    for n, (edge, rate) in enumerate(table, 1):
        high = share if edge is None else min(share, edge)
        if high > low:
            side = "savings" if sign > 0 else "losses"
            taken[f"share: band {n} of {side}"] += 1
            total += rate * (high - low)
        low = edge
        if edge is None or share <= edge:
            break
    return total
