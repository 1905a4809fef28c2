"""The checks that are about Astro: the credential, the organization, the service, and what the credential may do.

Roles cannot be written for a try. Visible is the role of the token that the credential belongs to, if the credential's
claims name that token.

ListOrganizations is documented for personal tokens, so its refusal alone does not condemn a credential: if the
organization is known, the list of its tokens decides.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from astro_provider.astro.api import ApiToken, AstroClient, Organization
from astro_provider.astro.api.claims import claims_in, own_token_in, permissions_in
from astro_provider.astro.api.deadline import operation
from astro_provider.astro.api.failures import TOKENS_ACCESS
from astro_provider.astro.api.models import given
from astro_provider.astro.reading.reader import Reader, Readers
from astro_provider.astro.roles import ORGANIZATION
from astro_provider.astro.settings import (
    HOST,
    ORGANIZATION_ID,
    SETTLE,
    TOKEN,
    Settings,
    only_organization,
)
from astro_provider.astro.writing.merge import fitting_settle_seconds
from astro_provider.commands.diagnosis.checks import Check, Status
from astro_provider.commands.diagnosis.stack import Configuration
from astro_provider.errors import (
    AstroProviderError,
    CredentialRefused,
    NotFound,
    ServiceError,
    SettingsError,
    Unavailable,
    UnexpectedAnswer,
)

BOUND_SECONDS = 5.0  # of all calls together; the stack is looked at before, and a diagnosis takes eight
SOON = timedelta(days=14)  # enough to have a new token made
OWNER = "ORGANIZATION_OWNER"  # documented to have the permission
ONE_PERMISSION = (
    "Astro's published API has this one permission for reading and for writing tokens, so a credential that previews "
    "and cannot write does not exist."
)
ORGANIZATION_UNKNOWN = "the organization is not known"
NO_CREDENTIAL = "no-credential"  # sent if there is none: an answer of 401 shows that the service is there
NAMES = ("credential", "expiry", "organization", "service", "read tokens", "write tokens")


def check_service(environ: Mapping[str, str], stack: Configuration | None = None) -> list[Check]:
    """Look at all of it; the checks are always the same, in the same order.

    Args:
        environ: the environment's variables.
        stack: what the stack's configuration sets, which the environment comes before; its secrets are not read.
    """
    configuration = stack or Configuration()
    try:
        settings = Settings.find(configuration.value, environ)
    except SettingsError as error:
        unknown = [Check(name, Status.UNKNOWN, "Not looked at, because a setting is malformed.") for name in NAMES]
        return [Check("settings", Status.FAILED, str(error)), *unknown]
    settings = replace(settings, timeout_seconds=min(settings.timeout_seconds, BOUND_SECONDS))
    credential = settings.credential.get_secret_value() if settings.credential else NO_CREDENTIAL
    client = AstroClient(
        settings.host,
        lambda: credential,
        bound_seconds=settings.timeout_seconds,
        trace_file=settings.trace_file,
    )
    try:
        with operation(settings.timeout_seconds):
            view = _look(settings, client)
        return [
            _credential(view, configuration),
            _expiry(view),
            _organization(view, environ),
            _service(view),
            _reading(view),
            _writing(view),
        ]
    finally:
        client.close()


@dataclass
class _View:
    """What could be seen of the service; what came after a failure is None."""

    settings: Settings
    claims: dict[str, Any]
    seconds: float = 0.0
    refusal: ServiceError | None = None
    organizations: list[Organization] | None = None
    organization_id: str | None = None
    tokens: list[ApiToken] | None = None
    sample: ApiToken | None = None
    own: ApiToken | None = None
    unread: AstroProviderError | None = None
    read_seconds: float = 0.0  # of one token

    @property
    def hidden_by(self) -> str | None:
        """Why the organization could not be looked into; None if it could."""
        if self.settings.credential is None:
            return "there is no credential"
        if isinstance(self.refusal, (Unavailable, UnexpectedAnswer)):
            return "the service cannot be reached"
        if isinstance(self.unread, CredentialRefused):
            return "the credential is refused"
        return None if self.organization_id else ORGANIZATION_UNKNOWN


def _look(settings: Settings, client: AstroClient) -> _View:
    claims = claims_in(settings.credential.get_secret_value()) if settings.credential else {}
    view = _View(settings, claims, organization_id=settings.organization_id)
    started = time.monotonic()
    try:
        view.organizations = client.list_organizations()
    except ServiceError as error:
        view.refusal = error
    except SettingsError as error:  # a proxy, certificates or a trace that cannot be used
        view.refusal = Unavailable(str(error))
    view.seconds = time.monotonic() - started
    view.organization_id = view.organization_id or only_organization(view.organizations or ())
    if view.hidden_by is None and view.organization_id:
        _look_inside(view, Readers(client).of(view.organization_id))
    return view


def _look_inside(view: _View, reader: Reader) -> None:
    try:
        view.tokens = reader.tokens().listed
        started = time.monotonic()
        if own_id := own_token_in(view.claims):
            view.own = _token(reader, own_id)
            view.read_seconds = time.monotonic() - started
        others = (token for token in view.tokens if token.scope == ORGANIZATION)
        view.sample = view.own or next((found for token in others if (found := _token(reader, token.id))), None)
    except AstroProviderError as error:
        view.unread = error


def _token(reader: Reader, token_id: str) -> ApiToken | None:
    try:
        return reader.whole_token(token_id)
    except NotFound:
        return None


def _credential(view: _View, stack: Configuration) -> Check:
    if view.settings.credential is None:
        if stack.has_secret_token:
            return Check(
                "credential",
                Status.UNKNOWN,
                f"{TOKEN.variable} is not set; {TOKEN.config_key} of the stack is, a secret that was not read.",
                f"Export {TOKEN.variable} as well to have the credential looked at.",
            )
        looked = "is not set either" if stack.was_seen else "was not looked at"
        return Check(
            "credential",
            Status.FAILED,
            f"{TOKEN.variable} is not set.",
            f"Export it: an API token of the organization. {TOKEN.config_key} in a stack's configuration serves Pulumi "
            f"only, and {looked}.",
        )
    if isinstance(view.refusal, (Unavailable, UnexpectedAnswer)):
        return Check(
            "credential",
            Status.UNKNOWN,
            f"{TOKEN.variable} is set; whether Astro takes it was not seen, because {view.hidden_by}.",
        )
    if isinstance(view.unread, CredentialRefused):
        return Check(
            "credential",
            Status.FAILED,
            f"{TOKEN.variable} is set, and Astro refuses it.",
            "Make a new API token of the organization, or rotate this one, and export it.",
        )
    if isinstance(view.refusal, CredentialRefused) and view.organization_id is None:
        return Check(
            "credential",
            Status.UNKNOWN,
            f"{TOKEN.variable} is set, and Astro refuses it for the list of organizations, which it documents for "
            "personal tokens.",
            f"Export {ORGANIZATION_ID.variable}: then another call shows whether Astro takes the credential.",
        )
    whose = f", the secret of token {view.own.name!r} ({view.own.id})" if view.own else ""
    return Check("credential", Status.OK, f"{TOKEN.variable} is set{whose}.")


def _expiry(view: _View) -> Check:
    if view.settings.credential is None:
        return _not_looked_at("expiry", view)
    ends = [moment for moment in (_moment(view.claims.get("exp")), view.own and view.own.end_at) if moment]
    if not ends and view.own is None:
        return Check("expiry", Status.UNKNOWN, "The credential does not tell when it expires.")
    if not ends:
        return Check("expiry", Status.OK, "The credential does not expire.")
    # An end without a time zone is read as UTC, like all times of the service.
    end, now = min(end if end.tzinfo else end.replace(tzinfo=UTC) for end in ends), datetime.now(UTC)
    advice = "Rotate the token, or make a new one, and export it."
    if end <= now:
        return Check("expiry", Status.FAILED, f"The credential expired on {end:%Y-%m-%d}.", advice)
    days = (end - now).days
    left = f"The credential expires on {end:%Y-%m-%d}, in {days} {'day' if days == 1 else 'days'}."
    return Check("expiry", Status.WARNING, left, advice) if end - now < SOON else Check("expiry", Status.OK, left)


def _moment(expires: object) -> datetime | None:
    try:
        return given(datetime.fromtimestamp(expires, UTC)) if isinstance(expires, (int, float)) else None
    except (OverflowError, ValueError, OSError):
        return None


def _organization(view: _View, environ: Mapping[str, str]) -> Check:
    found, claimed = view.organization_id, permissions_in(view.claims, "organizationId")
    if found is None:
        if view.hidden_by != ORGANIZATION_UNKNOWN:
            return _not_looked_at("organization", view)
        seen = ", ".join(f"{one.name or 'unnamed'} ({one.id})" for one in view.organizations or ())
        what = "may not list organizations" if view.organizations is None else f"sees {seen or 'none'}"
        return Check(
            "organization",
            Status.FAILED,
            f"Neither {ORGANIZATION_ID.variable} nor the credential tells it, and the credential {what}.",
            f"Export {ORGANIZATION_ID.variable}.",
        )
    named = next((f"{one.name!r} ({found})" for one in view.organizations or () if one.id == found and one.name), found)
    if not (environ.get(ORGANIZATION_ID.variable) or "").strip():
        if view.settings.organization_id and view.settings.organization_id not in claimed:
            return Check("organization", Status.OK, f"{named}, from the stack's {ORGANIZATION_ID.config_key}.")
        whence = "the credential's claims" if view.settings.organization_id else "the only one that the credential sees"
        return Check("organization", Status.OK, f"{named}, from {whence}.")
    text = f"{named}, from {ORGANIZATION_ID.variable}."
    if claimed and found not in claimed:
        text = f"{text[:-1]}, but the credential is for {', '.join(claimed)}."
        return Check(
            "organization", Status.WARNING, text, f"Unset {ORGANIZATION_ID.variable}, or export another credential."
        )
    return Check("organization", Status.OK, text)


def _service(view: _View) -> Check:
    if isinstance(view.refusal, (Unavailable, UnexpectedAnswer)):
        advice = f"Check the network, its proxy, and {HOST.variable}."
        return Check("service", Status.FAILED, f"{view.settings.host}: {view.refusal}", advice)
    settle_seconds = view.settings.settle_seconds
    if settle_seconds and view.read_seconds > settle_seconds / 2:
        text = (
            f"Reading one token took {view.read_seconds:.2f} s. No list is written that was read longer than half of "
            f"settleSeconds ({settle_seconds:g}) ago, so every write would fail."
        )
        advice = (
            f"Set {SETTLE.config_key} (or {SETTLE.variable}) to {fitting_settle_seconds(view.read_seconds)} or more, "
            "wherever tokens of this organization are written."
        )
        return Check("service", Status.WARNING, text, advice)
    return Check("service", Status.OK, f"{view.settings.host} answered in {view.seconds:.2f} s.")


def _reading(view: _View) -> Check:
    if view.hidden_by:
        return _not_looked_at("read tokens", view)
    if view.unread:
        return Check("read tokens", Status.FAILED, str(view.unread), ONE_PERMISSION)
    tokens = view.tokens or []
    if view.sample and view.sample.roles is None:
        return Check(
            "read tokens",
            Status.FAILED,
            f"Astro shows the {len(tokens)} tokens of the organization without their roles.",
            f"The credential needs the permission {TOKENS_ACCESS}: give its token the role Organization Owner.",
        )
    what = "with their roles" if view.sample else "and no organization token to see roles of"
    return Check("read tokens", Status.OK, f"Astro shows {len(tokens)} tokens, {what}.")


def _writing(view: _View) -> Check:
    if view.hidden_by:
        return _not_looked_at("write tokens", view)
    held = [e.role for e in (view.own.roles if view.own else None) or () if e.entity_type == ORGANIZATION]
    if OWNER in held:
        return Check(
            "write tokens", Status.OK, f"The credential's role is {OWNER}, which has {TOKENS_ACCESS}; not tried."
        )
    if held:
        why = f"the credential's role is {held[0]}, and only {OWNER} is documented to have {TOKENS_ACCESS}"
    elif view.own:
        why = "Astro does not show the role of the credential's own token"
    else:
        why = "the credential does not lead to a token whose role could be looked at"
    advice = f"Make sure that the credential has the permission {TOKENS_ACCESS}; the first write will show."
    if view.unread is None:  # else the check before has it
        advice = f"{advice} {ONE_PERMISSION}"
    return Check("write tokens", Status.UNKNOWN, f"Cannot be told without writing: {why}.", advice)


def _not_looked_at(name: str, view: _View) -> Check:
    return Check(name, Status.UNKNOWN, f"Not looked at, because {view.hidden_by}.")
