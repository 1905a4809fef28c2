"""Every error that a user can meet, as one tree.

    AstroProviderError
    ├── SettingsError            credential, organization, host or a timing is missing or malformed
    ├── InputError               a property of a binding is wrong; carries the property's name
    ├── UnusableInput            a file that a command was given is not what it reads, or cannot be read
    ├── InvalidInputs            the form of several properties is wrong; carries an InputError for each
    ├── BindingConflict          the deployment is bound already in a way that the program did not ask for
    ├── RolesUnknown             the service left a token's roles out; writing would wipe them
    ├── AbsenceNotProven         a list lacks a token or a deployment, and the credential may not see all of them
    ├── WriteRefused             the service refused a role list; says which entry, and whose it is
    ├── WriteNotConfirmed        the service does not show what was written
    ├── TableNotWritten          a part of a table could not be written; says what stands now
    ├── LockTimeout              another process on this machine held a token's lock for too long
    ├── Cancelled                the run was cancelled before this was done
    └── ServiceError             a call failed
        ├── CredentialRefused    401
        ├── Forbidden            403
        ├── NotFound             404
        ├── CallRefused          any other 4xx
        ├── Unavailable          408, 425, 429, 5xx or no answer at all, after all retries
        └── UnexpectedAnswer     an answer that is not what the API promises (HTML, cut JSON, …)

People read these texts in pull requests, as the last line of a traceback or beside a property. So each says what
failed, on which ids, in the service's own words with its request id, and what to do next. None holds a credential, and
none holds a control character, whatever names and words it repeats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from astro_provider.messages import shown


@dataclass(frozen=True)
class Kept:
    """What the engine keeps of a resource whose create or update failed, as unfinished.

    The next preview shows the resource as a change, whatever its inputs are then, and the next run updates it.

    Attributes:
        identifier: the id of the resource.
        outputs: its whole property bag.
    """

    identifier: str
    outputs: Mapping[str, Any]


class AstroProviderError(Exception):
    """The root: catch this to catch everything that this package raises on purpose.

    Args:
        text: the whole message.

    Attributes:
        kept: what the engine has to keep of the resource; None: the resource is as it was before.
    """

    kept: Kept | None = None

    def __init__(self, text: str = "") -> None:
        super().__init__(shown.line(text))

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by attributes, because the constructors below take keywords that `Exception` forgets."""
        return _rebuild, (type(self), str(self), dict(self.__dict__))


def _rebuild(kind: type[AstroProviderError], text: str, attributes: dict[str, Any]) -> AstroProviderError:
    error = kind.__new__(kind, text)
    error.__dict__.update(attributes)
    return error


class SettingsError(AstroProviderError):
    """A setting is missing or malformed; the text names every place that was looked at."""


def credential_in_clear() -> SettingsError:
    """Return the error of a stack whose configuration has the credential in clear, through either door."""
    return SettingsError(
        "astro:token is set without --secret, so it would stand in the state in clear. Set it again with "
        "`pulumi config set --secret astro:token`, and rotate the token if that state is shared; or remove it and "
        "export ASTRO_API_TOKEN."
    )


class InputError(AstroProviderError):
    """A property of a binding is wrong.

    Args:
        property_name: the property as the program spells it, for example `role`.
        reason: one or two sentences: what is wrong, and what to write instead.
        is_secret: the value must not be shown.

    Attributes:
        beside: the property beside which an engine may tell the problem, and the text for that place. An engine prints the
            value of a property beside its problem, so a secret value has no such property.
    """

    def __init__(self, property_name: str, reason: str, *, is_secret: bool = False) -> None:
        super().__init__(f"{property_name}: {reason}")
        self.property_name = property_name
        self.reason = shown.line(reason)
        self.on_property = ("", str(self)) if is_secret else (property_name, self.reason)


class UnusableInput(AstroProviderError):
    """A file that a command was given is not what the command reads; the text names the file, and the line if it can."""


class InvalidInputs(AstroProviderError):
    """All that is wrong with the form of one binding's properties, as `problems`."""

    def __init__(self, problems: list[InputError]) -> None:
        super().__init__(" ".join(str(problem) for problem in problems))
        self.problems = problems


class BindingConflict(AstroProviderError):
    """The token holds another role in the deployment, or another resource of the program binds it."""


class RolesUnknown(AstroProviderError):
    """The service answered without `roles`. They are unknown, not empty, so nothing may be written."""


class AbsenceNotProven(AstroProviderError):
    """A list does not show a token or a deployment, and the credential may not see all of them, so nothing is gone."""


class WriteRefused(AstroProviderError):
    """The service refused a role list; the text says which entry is at fault, and whose it is."""


class WriteNotConfirmed(AstroProviderError):
    """A write was accepted, but what the service shows afterwards is not what was asked for."""


class TableNotWritten(AstroProviderError):
    """A part of a table could not be written, so the rest was taken back; the text says what stands now."""


class LockTimeout(AstroProviderError):
    """Another process on this machine held a token's lock for too long."""


class Cancelled(AstroProviderError):
    """The run was cancelled, so what waited or would have been tried again was given up."""


@dataclass(frozen=True)
class Patience:
    """How long another attempt at a failed call is worth it: so many attempts in all, and seconds since the first."""

    tries: float = math.inf
    seconds: float = math.inf


UNTIL_DEADLINE = Patience()
ONCE = Patience(tries=1)
NOT_MADE = Patience(tries=0)  # the call's turn would have come too late


class ServiceError(AstroProviderError):
    """A call to the service failed.

    Args:
        text: the whole message.
        status: the HTTP status, or None if there was no answer.
        request_id: what Astronomer's support asks for, or None.
        retry_after: seconds that the service asked to wait, or None.
        patience: how long another attempt is worth it.
        sent: the request has left, or may have; False only if that is certain.
    """

    def __init__(  # noqa: PLR0913  the facts of a failed call
        self,
        text: str,
        *,
        status: int | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        patience: Patience | None = None,
        sent: bool = True,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.request_id = request_id
        self.retry_after = retry_after
        self.patience = patience or UNTIL_DEADLINE
        self.sent = sent


class CredentialRefused(ServiceError):
    """HTTP 401."""


class Forbidden(ServiceError):
    """HTTP 403."""


class NotFound(ServiceError):
    """HTTP 404, in the service's own words."""


class CallRefused(ServiceError):
    """Any other 4xx: the service understood the call and will not do it."""


class Unavailable(ServiceError):
    """HTTP 408, 425, 429 or 5xx, or no answer at all."""


class UnexpectedAnswer(ServiceError):
    """An answer that is not what the API promises. Retried like an outage, because gateways cause it, unless it lasts."""
