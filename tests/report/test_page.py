import inspect
import re
from html.parser import HTMLParser

import pytest

from simulator.analysis.paired import advantage, paired
from simulator.programs import PROGRAMS
from simulator.report import page, plots, tables
from simulator.report.rounding import dollars, figure

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
    # The observed amount, the trials, their upper limit of a zero, and what names a statistic.
    known |= {"1,250,000", "2,000", "0.1", "0", "1", "5", "25", "50", "75", "95", "99", "256"}
    known |= numbers(inspect.getdoc(PROGRAMS["mssp"]))
    assert numbers(" ".join(Text(written(run)).text)) <= known


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
