"""A folder with a sound scenario and its base, for tests of what is wrong with variants."""

from simulator.engine.checking import check
from simulator.errors import ScenarioError
from simulator.scenario import reading

MARKET = """\
market:
  national_ppy:
    esrd:         {2016: 81_000, 2017: 82_000, 2018: 86_000}
    aged_nondual: {2016: 9_900, 2017: 10_100, 2018: 10_500}
"""
SCENARIO = """\
extends: base/market.yaml
name: small
seed: 7
trials: 1_000
years: [2022]
population:
  lakeshore:
    agreement: {start: 2019, number: 2, kind: renewal}
    elections: {minimum_savings: 0.01}
    revenue_ppy: 3_600
    segments:
      esrd:
        person_years:    {2018: 160, 2022: 100}
        expenditure_ppy: {2016: 76_000, 2017: 75_000, 2018: 80_000}
        risk_score:      {2016: 0.98, 2017: 1.01, 2018: 0.99, 2022: 1.04}
        churn_share: 0.2
      aged_nondual:
        person_years:    {2018: 11_000, 2022: 11_400}
        expenditure_ppy: {2016: 10_100, 2017: 10_600, 2018: 10_900}
        risk_score:      {2016: 1.06, 2017: 1.08, 2018: 1.07, 2022: 1.05}
        churn_share: 0.1
experience:
  trend: {mean: 0.04}
  quality: {mean: 0.8}
contracts:
  stay: {program: mssp, option: E}
  move: {program: mssp, option: ENHANCED}
"""


class Files:
    """A folder with a sound scenario and its base, and the mistakes of variants of them."""

    scenario = SCENARIO
    market = MARKET

    def __init__(self, folder):
        self.folder = folder
        (folder / "base").mkdir()
        self.put("base/market.yaml", MARKET)
        self.path = self.put("x.yaml", SCENARIO)

    def put(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def swap(self, *pairs, name="x.yaml", text=SCENARIO):
        """Write a file with each old text replaced by a new one, found exactly once."""
        for old, new in pairs:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        return self.put(name, text)

    def lines(self, overrides=()):
        """Return the mistakes as printed, with file names relative to the folder."""
        _, mistakes, _ = reading.check(self.path, overrides)
        return [str(mistake).removeprefix(f"{self.folder}/") for mistake in mistakes]

    def checked(self, overrides=()):
        """Return the same with what only the programs know."""
        try:
            check(self.path, overrides)
        except ScenarioError as error:
            return [message.removeprefix(f"{self.folder}/") for message in error.messages]
        return []
