"""Validating: one mistake for one wrong value, in plain words, all in one pass."""

from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, field_validator

from simulator.errors import ScenarioError
from simulator.loading import MOST, parse_text, read, scan_text, validate

Share = Annotated[float, Field(strict=True, ge=0, le=1)]


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")

    person_years: Mapping[Annotated[StrictInt, Field(ge=2008)], Share]
    risk_score: Share = 1.0


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Annotated[StrictStr, Field(pattern=r"^\w+$")] = "x"
    share: Share | None = None
    count: Annotated[StrictInt, Field(gt=0)] = 1
    kind: Literal["initial", "renewal"] = "initial"
    election: Share | Literal["variable"] = "variable"
    option: StrictStr | Mapping[StrictInt, StrictStr] = "A"
    inner: Inner | None = None
    types: Mapping[Literal["esrd", "disabled"], Share] = Field(default_factory=dict)
    pair: tuple[Share, Share] | None = None

    @field_validator("count")
    @classmethod
    def _even(cls, count: int) -> int:
        if count == 13:
            raise ValueError("Thirteen is out")
        return count


def lines(text, model=Model):
    """Return every mistake of a text as it is printed."""
    return [str(mistake) for mistake in validate(scan_text(text, "x.yaml"), model)[1]]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("share: 3", "share is 3; must lie between 0 and 1 (3% is written 0.03)"),
        ("share: -5", "share is -5; must lie between 0 and 1 (-5% is written -0.05)"),
        (
            "share: 300",
            "share is 300; must lie between 0 and 1 (300 basis points are written 0.03)",
        ),
        ("share: 3%", "share is '3%'; must be a number between 0 and 1 (written 0.03)"),
        ("share: $1,234", "share is '$1,234'; must be a number between 0 and 1 (written 1234)"),
        ("share: 0,5", "share is '0,5'; must be a number between 0 and 1 (written 0.5)"),
        ("share: true", "share is true; must be a number between 0 and 1"),
        ("share: {}", "share is an empty mapping; must be a number between 0 and 1"),
        (
            "share: '0.5'",
            "share is '0.5'; must be a number between 0 and 1 (written 0.5, without quotes)",
        ),
        ("count: 0", "count is 0; must be above 0"),
        ("count: 1.5", "count is 1.5; must be a whole number above 0"),
        ("count: 13", "count is 13; thirteen is out"),
        ("count: many", "count is 'many'; must be a whole number above 0"),
        (
            "kind: renewel",
            "kind is 'renewel'; must be one of initial, renewal; did you mean renewal?",
        ),
        (
            "election: 2",
            "election is 2; must be a number between 0 and 1 or 'variable' (2% is written 0.02)",
        ),
        ("option: 3", "option is 3; must be text or a mapping"),
        ("option: {2022: 3}", "option.2022 is 3; must be text"),
        ("inner: 3", "inner is 3; must be a mapping"),
        ("name: a b", "name is 'a b'; must be text of letters, digits, '-' and '_'"),
        ("pair: [0.5]", "pair.1 is missing; must be a number between 0 and 1"),
        ("pair: [0, 1, 2]", "pair is a list of 3; must be a list of 2"),
        ("sahre: 1", "sahre is not a field; did you mean share?"),
        ("inner: {}", "inner.person_years is missing; must be a mapping"),
        (
            "inner: {person_year: {2022: 1}}",
            "inner.person_year is not a field; did you mean person_years?",
        ),
        (
            "types: {ersd: 1}",
            "types.ersd is not allowed here; must be 'esrd' or 'disabled'; did you mean esrd?",
        ),
        (
            "inner: {person_years: {'2022': 1}}",
            "inner.person_years.2022 is not allowed here; must be a whole number, without quotes",
        ),
        (
            "inner: {person_years: {22: 1}}",
            "inner.person_years.22 is not allowed here; must be at least 2008",
        ),
        ("count: ~", "count is empty; must be a whole number above 0"),
        ("- 1", "is a list of 1; must be a mapping"),
    ],
)
def test_one_wrong_value_gives_one_line_in_plain_words(text, line):
    shown = f"x.yaml:1: {line}"
    assert lines(text) == [shown]


def test_a_field_that_resembles_none_is_answered_with_all():
    (line,) = lines("zzz: 1")
    assert line.startswith("x.yaml:1: zzz is not a field; allowed are name, share, count")


def test_mistakes_of_reading_and_of_meaning_come_together_by_line():
    text = "share: 3\ncount: .nan\nkind: x\nkind: y\nname: [1\noption: 3\n"
    assert [int(line.split(":")[1]) for line in lines(text)] == [1, 2, 3, 4, 5, 6]


def test_nothing_more_is_said_of_what_could_not_be_read():
    assert len(lines("inner: *alias\n")) == 1
    assert len(lines("inner: {person_years: [1\nshare: 0.5\n")) == 1


def test_a_document_that_was_read_in_part_gives_no_model():
    model, mistakes = validate(scan_text("share: .nan", "x.yaml"), Model)
    assert model is None
    assert len(mistakes) == 1


def test_a_sound_document_gives_its_model():
    model, mistakes = validate(
        parse_text("share: 0.5\ninner: {person_years: {2022: 1}}", "x"), Model
    )
    assert not mistakes
    assert model.inner.person_years == {2022: 1.0}


def test_a_flood_of_mistakes_is_counted(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("\n".join(f"a{i}: 1" for i in range(1_000)))
    with pytest.raises(ScenarioError) as raised:
        read(path, Model)
    assert len(raised.value.messages) == MOST + 1
    assert raised.value.messages[-1] == "and 800 more mistakes"
