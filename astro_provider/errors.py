"""All errors that a user can meet, as one tree.

    AstroProviderError
    ├── SettingsError            credential, organization, host or a timing is missing or malformed
    ├── InputError               a property of a binding or a table is wrong; has the property's name
    ├── InvalidInputs            several properties are malformed; has an InputError for each
    ├── UnusableInput            a file given to a command cannot be read, or is not of the kind that it reads
    ├── BindingConflict          the token has another role there, or another resource has the binding
    ├── RolesUnknown             Astro left a token's roles out; a write would wipe them
    ├── AbsenceNotProven         a list lacks a token or a deployment, and the credential may not see all of them
    ├── WriteRefused             Astro refused a role list; names the entry at fault, and its owner
    ├── WriteNotConfirmed        Astro does not show what was written
    ├── TableNotWritten          a part of a table could not be written; names the entries that remain
    ├── LockTimeout              another process on this machine held a token's lock for too long
    ├── Cancelled                the run was cancelled before this was done
    └── ServiceError             a call failed
        ├── CredentialRefused    401
        ├── Forbidden            403
        ├── NotFound             404
        ├── CallRefused          any other 4xx
        ├── Unavailable          408, 425, 429, 5xx or no answer at all, after all retries
        └── UnexpectedAnswer     an answer that the API does not promise (HTML, cut JSON, …)

People read these texts in pull requests, as the last line of a traceback or on a property. So each text says what failed,
on which names and ids, in the service's own words with its request id, what happens now, and what to do. None has a
credential or a control character, whatever names and words it repeats.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from astro_provider.messages import shown


@dataclass(frozen=True)
class Kept:
    """The state that the engine keeps of a resource whose create or update failed, as unfinished.

    The next preview shows the resource as a change, whatever its inputs are then, and the next run updates it.

    Attributes:
        identifier: the id of the resource.
        outputs: its whole property bag.
    """

    identifier: str
    outputs: Mapping[str, Any]


class AstroProviderError(Exception):
    """The root of the tree; catch it to catch everything that this package raises on purpose.

    Args:
        text: the whole message.

    Attributes:
        kept: the state that the engine has to keep of the resource; None: the resource is as it was before.
    """

    kept: Kept | None = None

    def __init__(self, text: str = "") -> None:
        super().__init__(shown.line(text))

    def __reduce__(self) -> tuple[Any, ...]:
        """Return what a pickle has: the attributes, because `Exception` forgets the keywords of the constructors below."""
        return _rebuild, (type(self), str(self), dict(self.__dict__))


def _rebuild(kind: type[AstroProviderError], text: str, attributes: dict[str, Any]) -> AstroProviderError:
    error = kind.__new__(kind, text)
    error.__dict__.update(attributes)
    return error


class SettingsError(AstroProviderError):
    """A setting is missing or malformed; the text names every place where it may be set."""


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
        property_name: the property in the program's spelling, for example `role`.
        reason: one or two sentences: what is wrong, and what to write instead.
        is_secret: the value must not be shown.

    Attributes:
        on_property: the property on which an engine may report the problem, and the text for that place. An engine prints
            the property's value too, so the problem of a secret value is reported on no property.
    """

    def __init__(self, property_name: str, reason: str, *, is_secret: bool = False) -> None:
        super().__init__(f"{property_name}: {reason}")
        self.property_name = property_name
        self.reason = shown.line(reason)
        self.on_property = ("", str(self)) if is_secret else (property_name, self.reason)


class UnusableInput(AstroProviderError):
    """A file given to a command cannot be read, or is not of the kind that the command reads; the text names the file."""


class InvalidInputs(AstroProviderError):
    """Several properties of one resource or function are malformed: `problems` has an error for each."""

    def __init__(self, problems: list[InputError]) -> None:
        super().__init__(" ".join(str(problem) for problem in problems))
        self.problems = problems


class BindingConflict(AstroProviderError):
    """The token has another role in the deployment, or another resource of the program has the binding."""


class RolesUnknown(AstroProviderError):
    """Astro answered without `roles`. They are unknown, not empty, so nothing may be written."""


class AbsenceNotProven(AstroProviderError):
    """A list does not show a token or a deployment, and the credential may not see all of them, so nothing is gone."""


class WriteRefused(AstroProviderError):
    """Astro refused a role list; the text names the entry at fault, and its owner."""


class WriteNotConfirmed(AstroProviderError):
    """Astro accepted a write and does not show its result afterwards, or could not be asked."""


class TableNotWritten(AstroProviderError):
    """A part of a table could not be written, so the rest was taken back; the text names the entries that remain."""


class LockTimeout(AstroProviderError):
    """Another process on this machine held a token's lock for too long."""


class Cancelled(AstroProviderError):
    """The run was cancelled, so a call that waited for its turn or for a retry was given up."""


@dataclass(frozen=True)
class Patience:
    """The bounds of retrying a failed call: attempts in all, and seconds since the first."""

    tries: float = math.inf
    seconds: float = math.inf


UNTIL_DEADLINE = Patience()
ONCE = Patience(tries=1)
NOT_MADE = Patience(tries=0)  # the call was not sent: its turn would have come after the deadline


class ServiceError(AstroProviderError):
    """A call to the service failed.

    Args:
        text: the whole message.
        status: the HTTP status; None: there was no answer.
        request_id: the id by which Astronomer's support finds the call, or None.
        retry_after: the seconds to wait that the service asked for, or None.
        patience: the bounds of retrying it.
        sent: whether the request has left, or may have; False only if it certainly has not.
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
    """An answer that the API does not promise. Gateways cause it, so it is retried like an outage, within its patience."""
