"""The errors are the tree that their module draws, and they travel between processes."""

from __future__ import annotations

import inspect
import pickle
import re

import pytest

from astro_provider import errors
from astro_provider.errors import (
    AbsenceNotProven,
    AstroProviderError,
    BindingConflict,
    CallRefused,
    Cancelled,
    CredentialRefused,
    Forbidden,
    InputError,
    InvalidInputs,
    LockTimeout,
    NotFound,
    RolesUnknown,
    ServiceError,
    SettingsError,
    TableNotWritten,
    Unavailable,
    UnexpectedAnswer,
    UnusableInput,
    WriteNotConfirmed,
    WriteRefused,
)

BRANCH = re.compile(r"^    (?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+)")


def drawn_tree() -> dict[str, str | None]:
    """Each error's parent, as the docstring draws it."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        if match := BRANCH.match(line):
            depth = len(match["branch"]) // 4
            path[depth:] = [match["name"]]
            parents[match["name"]] = path[depth - 1] if depth else None
    return parents


def coded_tree() -> dict[str, str | None]:
    """Each error's parent, as the code has it."""
    found = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, AstroProviderError)]
    return {kind.__name__: None if kind is AstroProviderError else kind.__bases__[0].__name__ for kind in found}


def test_the_drawn_tree_is_the_tree() -> None:
    assert coded_tree() == drawn_tree()


def test_one_except_catches_all() -> None:
    assert all(kind == "AstroProviderError" or parent for kind, parent in coded_tree().items())
    assert issubclass(AstroProviderError, Exception)


EVERY = [
    AstroProviderError("text"),
    SettingsError("text"),
    UnusableInput("text"),
    InputError("role", "is blank."),
    InvalidInputs([InputError("role", "is blank."), InputError("overwrite", "must be true or false.")]),
    UnusableInput("text"),
    BindingConflict("text"),
    TableNotWritten("text"),
    RolesUnknown("text"),
    AbsenceNotProven("text"),
    WriteRefused("text"),
    WriteNotConfirmed("text"),
    LockTimeout("text"),
    Cancelled("text"),
    *(
        kind("text", status=418, request_id="r1", retry_after=2.5)
        for kind in (ServiceError, CredentialRefused, Forbidden, NotFound, CallRefused, Unavailable, UnexpectedAnswer)
    ),
]


def test_every_error_is_tried() -> None:
    assert set(coded_tree()) == {type(error).__name__ for error in EVERY}


@pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)
def test_an_error_survives_pickling_with_text_and_attributes(error: AstroProviderError) -> None:
    copy = pickle.loads(pickle.dumps(error))

    assert type(error) is type(copy)
    assert str(error) == str(copy)
    assert {name: str(value) for name, value in vars(error).items()} == {
        name: str(value) for name, value in vars(copy).items()
    }


def test_the_problems_of_invalid_inputs_are_errors_also_after_pickling() -> None:
    error = InvalidInputs([InputError("role", "is blank.")])

    (problem,) = pickle.loads(pickle.dumps(error)).problems

    assert (problem.property_name, problem.reason) == ("role", "is blank.")


def test_an_input_error_reads_property_and_reason() -> None:
    assert str(InputError("role", "is blank.")) == "role: is blank."


def test_invalid_inputs_read_as_all_their_problems() -> None:
    error = InvalidInputs([InputError("role", "is blank."), InputError("overwrite", "must be true or false.")])

    assert str(error) == "role: is blank. overwrite: must be true or false."
