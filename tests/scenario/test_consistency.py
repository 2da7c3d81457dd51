"""What must hold between fields."""

import pytest

SEGMENTS = "population.lakeshore.segments"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "years: [2022]",
            "years: [2022, 2022]",
            "x.yaml:5: years.1 is 2022 after 2022; years must rise, each given once",
        ),
        (
            "years: [2022]",
            "years: [2018]",
            "x.yaml:8: population.lakeshore.agreement.start is 2019; "
            "must not lie after the first performance year, 2018",
        ),
        (
            "      esrd:",
            "      esdr:",
            f"x.yaml:12: {SEGMENTS}.esdr needs a field entitlement, for its name is none; it is "
            "one of esrd, disabled, aged_dual, aged_nondual; did you mean esrd?",
        ),
        (
            "    revenue_ppy: 3_600",
            "    persons: {2022: 30_000}",
            "x.yaml:10: population.lakeshore.persons.2022 is 30,000, but person-years of 2022 add "
            "up to 11,500; a head-count is one to two times them",
        ),
        (
            "    revenue_ppy: 3_600",
            "    persons: {2022: 11_000}",
            "x.yaml:10: population.lakeshore.persons.2022 is 11,000, but person-years of 2022 add "
            "up to 11,500; a head-count is one to two times them",
        ),
        (
            "    revenue_ppy: 3_600",
            "    advance_payments: {100: 0.3, 60: 0.6}",
            "x.yaml:10: population.lakeshore.advance_payments has shares that add up to 0.9; they "
            "must add up to 1",
        ),
        (
            "    revenue_ppy: 3_600",
            "    termination: {year: 2023}",
            "x.yaml:10: population.lakeshore.termination.year is 2023; must be one of 2022",
        ),
        (
            "option: E}",
            "option: {2023: E}}",
            "x.yaml:26: contracts.stay.option lacks 2022; every performance year needs an option",
        ),
        (
            "    revenue_ppy: 3_600",
            "    observed: {year: 2022, contract: styy, settlement_usd: 1, source: us}",
            "x.yaml:10: population.lakeshore.observed.contract is 'styy'; "
            "must be one of stay, move; did you mean stay?",
        ),
        (
            "    revenue_ppy: 3_600",
            "    observed: {year: 2021, contract: stay, settlement_usd: 1, source: us}",
            "x.yaml:10: population.lakeshore.observed.year is 2021; must be one of 2022",
        ),
    ],
)
def test_fields_that_contradict_each_other_are_one_mistake(files, old, new, line):
    files.swap((old, new))
    assert files.lines() == [line]


@pytest.mark.parametrize(
    ("year", "booked", "said"),
    [
        (2021, "lakeshore: {esrd: 80_000}", "run_out.year is 2021; must be one of 2022"),
        (
            2022,
            "lakeshor: {esrd: 80_000}",
            "run_out.observed_ppy.lakeshor is no ACO of the scenario; must be one of lakeshore; "
            "did you mean lakeshore?",
        ),
        (
            2022,
            "lakeshore: {esdr: 80_000}",
            "run_out.observed_ppy.lakeshore.esdr is no segment of lakeshore; must be one of "
            "esrd, aged_nondual; did you mean esrd?",
        ),
    ],
)
def test_what_is_booked_belongs_to_an_aco_and_segment_of_the_scenario(files, year, booked, said):
    law = f"{{year: {year}, months_observed: 6, observed_ppy: {{{booked}}}}}"
    files.swap(("  trend: {mean: 0.04}", f"  trend: {{mean: 0.04}}\n  run_out: {law}"))
    lines = files.lines()
    assert [line.split(": ", 1)[1] for line in lines] == [f"experience.{said}"]


def test_a_segment_may_name_its_enrolment_type(files):
    files.swap(("      esrd:\n", "      kidney:\n        entitlement: esrd\n"))
    assert not files.lines()


def test_a_segments_name_means_one_thing(files):
    at = files.scenario.index("  lakeshore:")
    end = files.scenario.index("experience:")
    second = files.scenario[at:end].replace("lakeshore", "uptown")
    second = second.replace("      esrd:\n", "      esrd:\n        high_needs: true\n")
    files.put("x.yaml", files.scenario[:end] + second + files.scenario[end:])
    (line,) = files.lines()
    assert line.endswith(
        "population.uptown.segments.esrd.high_needs is true, but false for lakeshore; "
        "a name means one thing"
    )


def test_what_is_wrong_in_itself_is_not_also_a_contradiction(files):
    files.swap(("2018: 160", "'2018': 160"), ("start: 2019", "start: soon"))
    assert len(files.lines()) == 2


def test_contradictions_are_found_beside_other_mistakes(files):
    files.swap(("years: [2022]", "years: [2022, 2021]"), ("mean: 0.04", "maen: 0.04"))
    assert len(files.lines()) == 2


@pytest.mark.parametrize(
    ("election", "said"),
    [
        (
            "{attachment_usd: [150_000], payout_share: [0.8]}",
            ["stop_loss needs charge_ppy or charge_share; no charge is published"],
        ),
        (
            "{attachment_usd: [150_000, 300_000], payout_share: [0.8], charge_ppy: 60}",
            ["stop_loss.payout_share has 1 rates for 2 attachment points; one for each"],
        ),
        (
            "{attachment_usd: [3e5, 1e5], payout_share: [0.8, 1.0], charge_ppy: 60}",
            ["stop_loss.attachment_usd must rise"],
        ),
    ],
)
def test_an_election_of_stop_loss_is_whole(files, election, said):
    files.swap(("    revenue_ppy: 3_600", f"    stop_loss: {election}"))
    lines = [line.split("population.lakeshore.")[1] for line in files.lines()]
    assert lines == said


def test_stop_loss_without_attachment_points_is_refused(files):
    files.swap(("    revenue_ppy: 3_600", "    stop_loss: {charge_ppy: 60}"))
    assert ["attachment_usd" in line or "payout_share" in line for line in files.lines()] == [
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("sampling", "trials", "said"),
    [
        ("{scheme: antithetic}", 101, "trials is 101; antithetic trials come in pairs"),
        (
            "{scheme: sobol, replicates: 4}",
            100,
            "trials is 100; 4 replicates of Sobol' points need 4 times a power of two, such as "
            "64 or 128",
        ),
    ],
)
def test_trials_make_whole_designs(files, sampling, trials, said):
    old = "trials: 1_000\nyears: [2022]"
    files.swap((old, f"trials: {trials}\nsampling: {sampling}\nyears: [2022]"))
    assert [line.split(": ", 1)[1] for line in files.lines()] == [said]


@pytest.mark.parametrize(
    ("law", "said"),
    [
        (
            "membership: {departures: {clinic: {aco: lakeshor, year: 2022, share: 0.2}}}",
            "membership.departures.clinic.aco is 'lakeshor'; must be one of lakeshore; "
            "did you mean lakeshore?",
        ),
        (
            "membership: {departures: {clinic: {aco: lakeshore, year: 2023, share: 0.2}}}",
            "membership.departures.clinic.year is 2023; must be one of 2022",
        ),
        (
            "severity: {partial_years: {die: {share: {esrd: 0.6}, months: 6}, "
            "come: {share: {esrd: 0.5}, months: 6}}}",
            "severity.partial_years leave nobody of esrd all year: their shares add up to 1.1; "
            "allowed is less than 1",
        ),
        (
            "severity: {family: generalized_beta_second_kind, tail_index: 4}",
            "severity.family is generalized_beta_second_kind, which needs peak",
        ),
    ],
)
def test_what_could_happen_is_about_people_who_are_there(files, law, said):
    files.swap(("  trend: {mean: 0.04}", f"  trend: {{mean: 0.04}}\n  {law}"))
    assert [line.split(": ", 1)[1] for line in files.lines()] == [f"experience.{said}"]
