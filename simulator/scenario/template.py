"""The commented scenario to fill in with one's own ACO."""

import re
from pathlib import Path

from simulator.errors import ScenarioError

__all__ = ["template"]

_NAME = "my-aco"


def template(name: str = _NAME) -> str:
    """Return the text of a scenario to start from, under the name given.

    >>> "name: lakeshore-2022" in template("lakeshore-2022")
    True
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w-]{0,79}", name, re.ASCII):
        raise ScenarioError(f"{name!r} is no name; must be of letters, digits, '-' and '_'")
    text = Path(__file__).with_name("template.yaml").read_text(encoding="utf-8")
    return text.replace(f"name: {_NAME}\n", f"name: {name}\n")
