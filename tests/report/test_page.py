import inspect
import re
from html.parser import HTMLParser

import pytest
from markupsafe import escape

from simulator.analysis.paired import advantage, paired
from simulator.engine import run as engine
from simulator.engine.ledger import ledger
from simulator.programs import PROGRAMS
from simulator.report import (
    capital,
    comparison,
    convergence,
    page,
    plots,
    provenance,
    sensitivity,
    tables,
    waterfall,
)
from simulator.report.rounding import dollars, figure
from simulator.report.waterfall import Place
from tests.runs import small

NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"


class Text(HTMLParser):
    """The text of a page and of its tables' cells, without pictures and style."""

    def __init__(self, html):
        super().__init__()
        self.text, self.cells, self.tags, self.ids = [], [], [], []
        self._hidden, self._cell = 0, False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.ids += [value for name, value in attrs if name == "id"]
        self._hidden += tag in ("svg", "style")
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag):
        self._hidden -= tag in ("svg", "style")

    def handle_data(self, data):
        if not self._hidden:
            self.text.append(data)
            if self.cells and self.lasttag in ("td", "span"):
                self.cells[-1] += data


@pytest.fixture
def written(make_run, tmp_path):
    def write(run):
        return page.write(run, tmp_path / "page.html").read_text(encoding="utf-8")

    return write


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Return a small run of the real ACO, its ledger and its page."""
    out = tmp_path_factory.mktemp("runs")
    opened = engine.run(small(300), out)
    table = ledger(opened.attrs["path"])
    html = page.write(opened, out / "report.html", table).read_text(encoding="utf-8")
    return opened, table, html


def numbers(text):
    return set(NUMBER.findall(text))


def test_every_figure_of_the_summary_is_on_the_page(make_run, written):
    run = make_run()
    text = " ".join("".join(Text(written(run)).text).split())
    for table in tables.tables(tables.summary(run)):
        for row in table.rows:
            for cell in row.cells:
                assert str(cell).replace("-", "\u2212").replace(" ", "\u00a0") in text.replace(
                    " ", "\u00a0"
                ), row.label


def test_every_number_on_the_page_is_one_of_the_run(make_run, written):
    run = make_run()
    known = numbers(" ".join(str(value) for value in run.attrs.values()))
    for table in tables.tables(tables.summary(run)):
        known |= numbers(" ".join(str(cell) for row in table.rows for cell in row.cells))
    lead = advantage(paired(run, "full", "shared").settlement_usd.astype(float).squeeze(drop=True))
    known |= numbers(dollars(float(lead.mean_usd), float(lead.mean_error_usd)))
    mean = tables.summary(run).loc[(0, "2022", "lakeside", "full")]
    known |= numbers(dollars(mean["mean_usd"], mean["mean_error_usd"]))
    place = tables.observed(run).iloc[0]
    known |= numbers(str(figure(place["percentile_share"], place["percentile_error_share"], 0.01)))
    known |= _estimates(run)
    # The observed amount, the trials, their upper limit of a zero, and what names a statistic.
    known |= {"1,250,000", "2,000", "0.1", "0", "1", "5", "25", "50", "75", "95", "99", "256"}
    # Rings, the confidence of the accrual, its ranges and its paragraphs, and the levels of risk.
    known |= {"606", "10", "32", "99.5", "2023", "2024", "4", "2", "90", "11", "4.3"}
    known |= numbers(inspect.getdoc(PROGRAMS["mssp"])) | _asked(run)
    known.add("99.9")  # of 2,000 trials all: 100 less 0.1, as none is below 0.1%
    assert numbers(" ".join(Text(written(run)).text)) <= known


def _asked(run):
    """Return the numbers of the commands that the page names, and of its intervals."""
    whole = run.expand_dims("case") if "case" not in run.dims else run
    told = sensitivity.example(whole)
    total = run.settlement_usd.astype(float).sum(["year", "aco"])
    ends = convergence.panel(convergence.intervals(total))
    cells = [str(cell.value) for row in ends.rows for cell in row.cells]
    return numbers(" ".join([*told, *told.values(), *cells])) | {"19", "20", "50000"}


def _estimates(run):
    """Return what differences, capital, accrual and cash come to, in every scale they may have."""
    total = run.settlement_usd.astype(float).sum(["year", "aco"])
    gaps = comparison.pairs(run)
    found = [(row.mean_usd, row.mean_error_usd) for row in gaps.itertuples()]
    shares = [(row.wins_share, row.wins_error_share) for row in gaps.itertuples()]
    shares += [(row.loses_share, row.loses_error_share) for row in gaps.itertuples()]
    held = capital.figures(total)
    layer = capital.layer(total)
    shown = numbers(f"{layer.limit_usd:,.0f} {layer.attachment_usd:,.0f}") if layer else set()
    for row in [*held.itertuples(), *capital.cash(run).assign(unit="usd").itertuples()]:
        (shares if row.unit == "share" else found).append((row.value, row.error))
    for value, error in found:
        for size in (1.0, 1e3, 1e6):
            shown |= numbers(str(figure(value, error, size)))
    for value, error in shares:
        shown |= numbers(str(figure(value, error, 0.01)))
    return shown


def test_every_number_of_a_real_run_is_one_of_its_data(real):
    run, table, html = real
    said = html[html.index("<section>") : html.index("Assumptions</h2>")]
    known = _estimates(run) | numbers(" ".join(str(value) for value in run.attrs.values()))
    for part in tables.tables(tables.summary(run)):
        known |= numbers(" ".join(str(cell) for row in part.rows for cell in row.cells))
    for row in table[table.kind.isin(["step", "binds", "worth", "line"])].itertuples():
        for size in (1.0, 0.01, 1e3, 1e6):
            known |= numbers(str(figure(row.mean, row.error, size)))
    for label in ("level_e", "enhanced"):
        shown = waterfall.bars(table, run, Place(0, "2022", "covenant"), label)
        known |= numbers(" ".join(f"{x:,.2f}" for x in waterfall.to_the_cent(shown)))
        known |= numbers(" ".join(f"{bar.mean / 1e6:,.3g}" for bar in shown))
    gap = tables.summary(run).mean_usd.unstack("contract")
    best = run.settlement_usd.astype(float).squeeze()
    lead = advantage(best.sel(contract="enhanced") - best.sel(contract="level_e"))
    known |= numbers(dollars(float(lead.mean_usd), float(lead.mean_error_usd)))
    row = tables.summary(run).loc[(0, "2022", "covenant", "enhanced")]
    known |= numbers(dollars(row["mean_usd"], row["mean_error_usd"]))
    place = tables.observed(run).iloc[0]
    known |= numbers(str(figure(place["percentile_share"], place["percentile_error_share"], 0.01)))
    known |= {"5,349,938", "300", "1", "0", "5", "25", "50", "75", "95", "99", "99.5", "90", "100"}
    # Titles, the sums checked and the largest miss, the calendar.
    known |= {"606", "10", "32", "11", "4.3", "4", "2", "2023", "2024"}
    known |= numbers(sections_of_footing(html)) | _asked(run)
    assert len(gap.columns) == 2
    assert numbers(" ".join(Text(said).text)) <= known


def sections_of_footing(html):
    return html[html.index("sums of lines") - 4 : html.index("the largest miss") + 40]


def test_the_page_of_a_real_run_has_its_parts_in_the_order_of_a_decision(real):
    html = real[2]
    parts = [
        'class="answer"',
        "<h3>Settlement",
        "Differences on the same draws",
        "From the historical benchmark to the payment",
        "How likely each amount is",
        "Where the money is lost",
        "Capital and accrual",
        "<h2>Sensitivity",
        "<h2>Convergence",
        "Cash by calendar quarter",
        "<h2>Assumptions",
        "<h2>Limitations",
        "<h2>Data quality",
        "<h2>Provenance",
        "To reproduce the run",
    ]
    places = [html.index(part) for part in parts]
    assert places == sorted(places)
    assert "each is met to half a cent in 100% of trials" in html
    assert len(html) < 1_000_000


def test_the_waterfall_of_the_page_foots_to_the_cent(real):
    run, table, html = real
    bars = waterfall.bars(table, run, Place(0, "2022", "covenant"), "enhanced")
    standing = 0
    for bar, dollars_and_cents in zip(bars, waterfall.to_the_cent(bars), strict=True):
        cents = round(dollars_and_cents * 100)
        assert abs(dollars_and_cents - bar.mean) < 0.0101
        if bar.kind == "level":
            assert cents == standing
        else:
            standing += cents
        assert f"{dollars_and_cents:,.2f}".replace("-", "\u2212") in html


def test_hostile_names_stay_text(make_run, written):
    run = make_run(trials=50, contracts=("plain", HOSTILE), acos=(HOSTILE,))
    run.attrs |= {"name": HOSTILE, "about": HOSTILE, "path": HOSTILE, "version": HOSTILE}
    read = Text(written(run))
    assert not {"script", "img"} & set(read.tags)
    assert "".join(read.text).count("alert(1)") > 5


def test_a_label_with_dollars_is_no_formula(make_run, written):
    assert "<svg" in written(make_run(trials=50, contracts=("a$b$", "$\\frac$")))


def test_the_page_asks_no_network_and_runs_no_script(make_run, written):
    html = written(make_run(trials=50))
    assert not re.search(r"<script|<link|<iframe|\bsrc=|@import|url\((?!#)", html)
    assert "default-src 'none'" in html


def test_ids_are_unique_and_every_reference_is_met(make_run, written):
    html = written(make_run(trials=50, acos=("a", "b")))
    ids = Text(html).ids
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', html)) <= {
        pair for one in ids for pair in ((one, ""), ("", one))
    }


def test_columns_have_the_colours_of_the_curves(make_run, written):
    run = make_run(trials=50)
    shown = re.findall(r'background: (#\w+)"></span>(\w+)</th>', written(run))
    assert {label: colour for colour, label in shown} == plots.colours(run)


def test_the_page_says_what_it_rests_on(make_run, written):
    text = " ".join("".join(Text(written(make_run(trials=50))).text).split())
    for said in (
        "Should Lakeside bear losses?",
        "Assumed.",
        "The data were typed by a friend.",
        "Not modelled",
        "a public file, row 12",
        "acosim run results/lakeside-0123abcd/scenario.yaml",
    ):
        assert said in text, said


def test_several_acos_start_with_all_together(make_run, written):
    headings = re.findall("<h2>(.*?)</h2>", written(make_run(trials=50, acos=("a", "b"))))
    assert headings[:3] == ["All ACOs together, 2022", "a, 2022", "b, 2022"]


def test_a_sweep_names_the_case_in_each_heading(make_run, written):
    run = make_run(trials=50, cases=2).assign_coords({"experience.x": ("case", [0.1, 0.2])})
    headings = re.findall("<h2>(.*?)</h2>", written(run))
    assert headings[:2] == ["lakeside, 2022, experience.x 0.1", "lakeside, 2022, experience.x 0.2"]


def test_a_large_run_shows_the_first_and_says_how_many_follow(make_run, written):
    html = written(make_run(20, ("a", "b"), tuple(f"aco{n}" for n in range(14))))
    assert html.count("<section>") == 12
    assert "3 more" in html


def test_pictures_have_a_description(make_run, written):
    assert re.search(r'role="img" aria-label="[^"]*Above zero: one_sided', written(make_run()))


def test_a_page_is_small(make_run, written):
    assert len(written(make_run(trials=10_000))) < 400_000


def test_a_layer_is_explained_only_where_one_is_shown(make_run, written):
    assert "The layer is an illustration" in written(make_run())
    gains = make_run()
    gains["settlement_usd"] = gains.settlement_usd.clip(min=0.0)
    assert "The layer is an illustration" not in written(gains)


def test_a_named_case_is_called_a_case_in_its_heading(make_run, written):
    html = written(make_run(cases=2, trials=50).assign_coords(list=("case", ["base", "dear"])))
    assert "lakeside, 2022, case dear" in html


def test_the_page_says_what_a_reader_must_know_before_relying_on_it(make_run, tmp_path):
    run = make_run(trials=50)
    html = page.write(run, tmp_path / "page.html").read_text(encoding="utf-8")
    for name, told in provenance.use(run):
        assert f"<dt>{escape(name)}</dt><dd>{escape(told)}</dd>" in html
    assert ("Purpose", run.attrs["about"]) in provenance.use(run)


def test_a_scenario_without_reliances_is_said_to_state_none(make_run, tmp_path):
    run = make_run(trials=50)
    run.attrs["scenario"] = "name: lakeside"
    html = page.write(run, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "The scenario states none (<code>reliances</code>)" in html
