"""Columns that identify people: by their names and by what stands in them."""

import re

import pytest

from simulator.population.identifiers import named, patterns

INNOCENT = (
    *("row_key", "year", "enrollment_type", "months", "paid_usd", "risk_score", "tin_group"),
    *("died", "aco_id", "period", "person_years", "pbpy_usd", "total_usd", "truncation_usd"),
    *("regional_pbpy_usd", "regional_risk", "completion_factor", "growth_share", "cv", "county"),
)


@pytest.mark.parametrize("title", INNOCENT)
def test_the_columns_of_our_formats_are_innocent(title: str) -> None:
    assert not named(title)


@pytest.mark.parametrize(
    "title",
    [
        *("MBI", "bene_mbi_id", "BENE_HIC_NUM", "ssn", "SSN4", "FirstName", "last_name", "name"),
        *("DOB", "birth_dt", "zip", "zip5", "ZipCode", "street_address", "addr1", "phone"),
        *("home_phone", "email_addr", "member_id", "MRN", "death_date", "dos", "from_date"),
    ],
)
def test_what_identifies_is_known_by_name(title: str) -> None:
    assert named(title)


@pytest.mark.parametrize(
    "value",
    [
        *("1EG4TE5MK73", "1EG4-TE5-MK72", "123456789A", "123-45-6789", "123456789", "19430501"),
        *("5/1/1943", "1943-05-01T00:00:00", "60601-1234", "555-123-4567", "a.b@c.org"),
    ],
)
def test_what_identifies_is_known_by_its_form(value: str) -> None:
    assert any(re.fullmatch(shape, value) for shape in patterns("row_key").values())


@pytest.mark.parametrize("value", ["123456789", "19430501", "60601", "12.5", "K00017", "2018"])
def test_numbers_of_a_column_of_numbers_are_innocent(value: str) -> None:
    assert not any(re.fullmatch(shape, value) for shape in patterns("paid_usd").values())


@pytest.mark.parametrize("value", ["K00017", "00016F745862898F", "42", "G1", "north-clinic"])
def test_opaque_keys_are_innocent(value: str) -> None:
    assert not any(re.fullmatch(shape, value) for shape in patterns("row_key").values())
