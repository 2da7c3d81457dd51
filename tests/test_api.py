"""The page of the public Python interface is what the docstrings say, and they say enough."""

import inspect
import re
import runpy
from pathlib import Path

import pytest

import simulator

PAGE = Path(__file__).parents[1] / "docs" / "api.md"


def test_the_page_is_what_make_docs_writes():
    assert runpy.run_path(str(PAGE.with_suffix(".py")))["page"]() == PAGE.read_text(
        encoding="utf-8"
    ), "docs/api.md is not what the docstrings say: make docs"


@pytest.mark.parametrize("name", simulator.__all__)
def test_a_public_name_says_its_arguments_and_what_they_are(name):
    public = getattr(simulator, name)
    said = inspect.getdoc(public) or ""
    assert said.startswith("Return ")
    assert "Parameters\n" in said
    told = said.split("Parameters\n", 1)[1]
    required = [
        each.name
        for each in inspect.signature(public).parameters.values()
        if each.default is inspect.Parameter.empty
    ]
    lacking = [arg for arg in required if not re.search(rf"^(\w+, )*{arg}(, \w+)* :", told, re.M)]
    assert lacking == []


@pytest.mark.parametrize("name", simulator.__all__)
def test_a_public_name_says_dims_or_units_or_what_it_gives(name):
    said = inspect.getdoc(getattr(simulator, name)) or ""
    assert re.search(r"\(.*trial.*\)|USD|_usd|dollars|contract|scenario|columns", said)
