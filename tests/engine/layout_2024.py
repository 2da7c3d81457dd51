"""A file in the layout of PY2024 and later, settled by hand as the rules note says.

The arithmetic here is written from the note, row by row, and knows nothing of the package: what is
published is what CMS would print, whole dollars and rates to a hundredth of a percent.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

HEADER = (
    "ACO_ID,ACO_Name,Agree_Type,Agreement_Period_Num,Current_Start_Date,Current_Track,Risk_Model,"
    "Assign_Type,SNF_Waiver,N_AB,Sav_rate,MinSavPerc,BnchmkMinExp,GenSaveLoss,DisAdj,"
    "Impact_Mid_Year_Termination,EarnSaveLoss,DisAffQual,Met_QPS,Met_AltQPS,Met_40pctl,"
    "Met_Incentive,Met_FirstYear,Report_WI,Report_eCQM_CQM_MedicareCQM,"
    "Met_SSP_quality_reporting_requirements,QualScore,Recvd40p,AIP,AIPBalance,AIPRecoup,AIPOwe,"
    "RegAdj,PriorSavAdj,FinalAdjCat,UpdatedBnchmk,Guardrail,HistBnchmk,ABtotBnchmk,ABtotExp,"
    "FinalShareRate,ReducedSS,FinalLossRate,Rev_Exp_Cat,Per_Capita_Exp_TOTAL_PY,N_AB_Year_PY"
)
COLUMNS = HEADER.split(",")

MAXIMUM = {"A": 0.40, "B": 0.40, "C": 0.50, "D": 0.50, "E": 0.50, "EN": 0.75}
PAYMENT_LIMIT = {"EN": 0.20}
LOSS_LIMIT = {"C": (0.02, 0.01), "D": (0.04, 0.02), "E": (0.08, 0.04), "EN": (None, 0.15)}
TABLE = (
    (499, 0.122, 0.122), (999, 0.122, 0.087), (2999, 0.087, 0.05), (4999, 0.05, 0.039),
    (5999, 0.039, 0.036), (6999, 0.036, 0.034), (7999, 0.034, 0.032), (8999, 0.032, 0.031),
    (9999, 0.031, 0.03), (14999, 0.03, 0.027), (19999, 0.027, 0.025), (49999, 0.025, 0.022),
    (59999, 0.022, 0.02),
)  # fmt: skip


@dataclass
class Case:
    """What happened to one ACO, before anything is settled."""

    track: str
    savings: float
    persons: int = 12_000
    benchmark: int = 180_000_000
    start: str = "01/01/2024"
    elected: float | None = None
    revenue: float = 0.25
    quality: float = 0.8312
    met: int = 1
    alternative: int = 0
    relief: float = 0.0
    months: int = 12
    months_printed: bool = True
    balance: int = 0
    guardrail: int = 0

    @property
    def two_sided(self) -> bool:
        return self.track in LOSS_LIMIT

    @property
    def minimum(self) -> float:
        if self.two_sided and self.elected is not None and self.persons >= 5_000:
            return self.elected
        return by_size(self.persons)

    @property
    def gross(self) -> int:
        return round(self.savings * self.benchmark)

    @property
    def low_revenue(self) -> bool:
        return self.revenue < 0.35

    @property
    def full_rate(self) -> float:
        part = 1.0 if self.met else self.alternative * self.quality
        return MAXIMUM[self.track] * part

    @property
    def reduced(self) -> bool:
        recent = self.start.endswith("2024")
        basic = self.track != "EN"
        short = 0 < self.gross < self.minimum * self.benchmark
        qualified = self.full_rate > 0.0 and self.persons >= 5_000 and self.low_revenue
        return recent and basic and short and qualified and not self.guardrail

    @property
    def shares_savings(self) -> bool:
        return self.gross > 0 and self.gross >= self.minimum * self.benchmark

    @property
    def shares_losses(self) -> bool:
        reached = -self.gross >= self.minimum * self.benchmark
        return self.two_sided and self.gross < 0 and reached

    @property
    def loss_rate(self) -> float:
        if self.track != "EN":
            return 0.30
        if self.full_rate == 0.0:
            return 0.75
        return min(max(1.0 - 0.75 * self.quality, 0.40), 0.75)

    @property
    def limited_loss(self) -> float:
        of_revenue, of_benchmark = LOSS_LIMIT[self.track]
        limit = of_benchmark * self.benchmark
        if of_revenue is not None:
            limit = min(limit, of_revenue * self.revenue * (self.benchmark - self.gross))
        return min(-self.gross * self.loss_rate, limit)

    @property
    def earned(self) -> float:
        if self.shares_losses:
            return -self.limited_loss * (1.0 - self.relief) * self.months / 12
        if self.guardrail or self.months < 12 or not (self.shares_savings or self.reduced):
            return 0.0
        rate = self.full_rate / 2 if self.reduced else self.full_rate
        paid = self.gross * rate * 0.98
        return min(paid, PAYMENT_LIMIT.get(self.track, 0.10) * self.benchmark)

    @property
    def prorated(self) -> float:
        """The dollars that termination takes off a loss."""
        if not self.shares_losses:
            return 0.0
        return self.limited_loss * (1.0 - self.relief) * (1.0 - self.months / 12)


def by_size(persons: int) -> float:
    low = 1
    for high, at_low, at_high in TABLE:
        if persons <= high:
            return (at_low * (high - persons) + at_high * (persons - low)) / (high - low)
        low = high + 1
    return 0.02


def cells(number: int, case: Case) -> dict[str, object]:
    """Return a case as CMS prints it."""
    earned = round(case.earned)
    recouped = min(max(earned, 0), case.balance)
    counted = case.gross if case.shares_savings or case.reduced or case.shares_losses else 0
    generated = 0 if case.guardrail and case.gross > 0 else counted
    rate = case.full_rate / 2 if case.reduced else case.full_rate
    years = round(case.persons * 0.9792)
    terminated = round(case.prorated) if case.months_printed else 1
    plain = dict.fromkeys(COLUMNS, "")
    return plain | {
        "ACO_ID": f"A{5000 + number}",
        "ACO_Name": f"ACO {number}, Inc.",
        "Agree_Type": "Initial",
        "Agreement_Period_Num": 1,
        "Current_Start_Date": case.start,
        "Current_Track": case.track,
        "Risk_Model": "Two-Sided" if case.two_sided else "One-Sided",
        "Assign_Type": "Retrospective",
        "N_AB": f"{case.persons:,}",
        "Sav_rate": f"{100 * case.gross / case.benchmark:.2f}%",
        "MinSavPerc": f"{100 * case.minimum:.2f}%",
        "BnchmkMinExp": f"{case.gross:,}",
        "GenSaveLoss": f"{generated:,}",
        "DisAdj": f"{-round(case.limited_loss * case.relief):,}" if case.shares_losses else "",
        "Impact_Mid_Year_Termination": 0 if case.months == 12 else terminated or 1,
        "EarnSaveLoss": f"{earned:,}",
        "Met_QPS": case.met,
        "Met_AltQPS": "" if case.met else case.alternative,
        "QualScore": f"{100 * case.quality:.2f}",
        "AIP": int(case.balance > 0),
        "AIPBalance": f"{case.balance:,}" if case.balance else "-",
        "AIPRecoup": f"{recouped:,}" if case.balance else "-",
        "AIPOwe": f"{case.balance - recouped:,}" if case.balance else "-",
        "UpdatedBnchmk": f"{case.benchmark / years:,.0f}",
        "Guardrail": case.guardrail if case.start.endswith("2024") else "",
        "HistBnchmk": "11,438",
        "ABtotBnchmk": f"${case.benchmark:,}",
        "ABtotExp": f"${case.benchmark - case.gross:,}",
        "FinalShareRate": f"{100 * rate:.2f}%",
        "ReducedSS": int(case.reduced),
        "FinalLossRate": f"{100 * case.loss_rate:.2f}%" if case.two_sided else "",
        "Rev_Exp_Cat": "Low Revenue" if case.low_revenue else "High Revenue",
        "N_AB_Year_PY": f"{years:,}",
    }


# PY2024: 12 of Level A with advance payments and one of Level E shared below their MSR.
REDUCED = [
    Case("A", 0.004 + 0.002 * i, persons=5_200 + 700 * i, balance=250_000 * (i + 1))
    for i in range(12)
] + [Case("E", 0.011, persons=15_000)]
# 9 of PY2024: seven owed the smaller loss, two neither owed nor earned.
GUARDRAIL = [
    Case("EN", -0.02 - 0.004 * i, guardrail=1, elected=0.005, quality=0.74 + 0.02 * i)
    for i in range(7)
] + [Case("E", 0.013, guardrail=1, elected=0.0), Case("EN", 0.031, guardrail=1, elected=0.01)]
ALTERNATIVE = [
    Case(track, 0.05 + 0.003 * i, quality=0.512537 + 0.021111 * i, met=0, alternative=1)
    for i, track in enumerate(["A", "B", "C", "D", "E", "EN"] * 2)
]
PLAIN = [
    *(Case(track, 0.06, start="01/01/2022", elected=0.01) for track in MAXIMUM),
    Case("A", 0.05, quality=0.3429),
    Case("EN", 0.0004, elected=0.0),
    Case("EN", 0.019, persons=4_400, elected=0.01),
    Case("EN", 0.06, persons=4_400, elected=0.01),
    Case("E", 0.24, elected=0.02),
    Case("EN", 0.29, elected=0.02),
]
UNSHARED = [
    Case("A", 0.02, start="01/01/2022"),
    Case("B", 0.02, revenue=0.60),
    Case("A", 0.02, persons=4_800),
    Case("EN", 0.015),
    Case("A", 0.02, met=0),
    Case("B", 0.06, met=0),
    Case("EN", 0.06, met=0),
    Case("A", -0.05),
    Case("B", -0.09),
    Case("E", -0.009, elected=0.01),
]
LOSSES = [
    Case("E", -0.03, elected=0.01, revenue=0.7),
    Case("E", -0.03, elected=0.01, revenue=0.7, relief=0.058, start="07/01/2019"),
    Case("EN", -0.025, elected=0.005, quality=0.5410, met=0, alternative=1, relief=0.0026),
    Case("EN", -0.025, elected=0.005, met=0),
    Case("EN", -0.25, elected=0.005, quality=0.9, met=0),
    Case("EN", -0.025, elected=0.005, quality=0.9900),
    Case("E", -0.16, elected=0.02, revenue=0.9),
    Case("C", -0.05, elected=0.0, revenue=0.8, start="01/01/2022"),
    Case("D", -0.03, elected=0.02, revenue=0.8, relief=0.01, start="01/01/2022"),
]
TERMINATED = [
    Case("E", 0.05, elected=0.01, months=9),
    Case("EN", -0.04, elected=0.01, months=8, relief=0.02),
]
# Public columns do not say what these are worth, only which rule it is.
HIDDEN = [
    Case("E", -0.10, elected=0.01, revenue=0.15),
    Case("D", -0.08, elected=0.01, revenue=0.12, relief=0.04),
    Case("EN", -0.04, elected=0.01, months=7, months_printed=False),
]
TOLD = [*REDUCED, *GUARDRAIL, *ALTERNATIVE, *PLAIN, *UNSHARED, *LOSSES, *TERMINATED]


def write(path: Path, cases: list[Case]) -> Path:
    """Write cases as a file in this layout, as Excel would: with a byte-order mark."""
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        writer.writerows(cells(number, case) for number, case in enumerate(cases))
    return path
