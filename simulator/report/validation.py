"""The page of a validation: what was checked, found and allowed, for somebody to sign."""

import json
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from simulator.report.page import environment
from simulator.validation.evaluation import Validation

__all__ = ["facts", "text", "write"]

PAGE, FACTS = "validation.html", "validation.json"


def write(validation: Validation, folder: Path) -> tuple[Path, Path]:
    """Write the page and its figures for machines into `folder`, and return both files."""
    folder.mkdir(parents=True, exist_ok=True)
    page, figures = folder / PAGE, folder / FACTS
    page.write_text(text(validation), encoding="utf-8", newline="\n")
    figures.write_text(f"{facts(validation)}\n", encoding="utf-8", newline="\n")
    return page, figures


def text(validation: Validation) -> str:
    """Return the page: one self-contained HTML file, to print and sign."""
    groups = [(name, list(held)) for name, held in groupby(validation.checks, lambda c: c.group)]
    made_with = ", ".join(f"{name} {version}" for name, version in validation.versions.items())
    return (
        environment()
        .get_template("validation.html.jinja")
        .render(
            validation=validation,
            groups=groups,
            counts={
                outcome: validation.count(outcome) for outcome in ("passed", "failed", "not done")
            },
            made_with=made_with,
        )
    )


def facts(validation: Validation) -> str:
    """Return the validation as JSON."""
    checks = [check._asdict() for check in validation.checks]
    whole = {"verdict": validation.verdict, **asdict(validation), "checks": checks}
    return json.dumps(whole, indent=1)
