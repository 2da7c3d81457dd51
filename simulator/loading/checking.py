"""Documents into models: every mistake at once, each in plain words and with its place."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from simulator.errors import ScenarioError
from simulator.loading.documents import Document, Mistake, dotted
from simulator.loading.parsing import scan

__all__ = ["read", "validate"]

M = TypeVar("M", bound=BaseModel)
Schema = Mapping[str, object]


def read(path: Path | str, model: type[M]) -> M:
    """Return a file as a model, or raise all its mistakes."""
    valid, mistakes = validate(scan(path), model)
    if valid is None or mistakes:
        raise ScenarioError([str(mistake) for mistake in mistakes])
    return valid


def validate(document: Document, model: type[M]) -> tuple[M | None, list[Mistake]]:
    """Return the model, if there is one, and every mistake of the document, by place."""
    valid, found = None, []
    if () not in document.unread:
        try:
            valid = model.model_validate(document.value)
        except ValidationError as error:
            found = [
                Mistake(document.place(keys), dotted(keys), str(details["msg"]))
                for details in error.errors(include_url=False)
                for keys in [tuple(details["loc"])]
            ]
    return valid, sorted({*document.mistakes, *found}, key=_order)


def _order(mistake: Mistake) -> tuple[bool, str, int, int, str]:
    place = mistake.place
    if place is None:
        return True, "", 0, 0, mistake.path
    return place.line == 0, place.file, place.line, place.column, mistake.path
