"""The checks of Astro: the credential, the organization, the service, and the credential's permissions.

A permission to write cannot be tried without a write. The role of the credential's own token can be seen, if the
credential's claims name that token.

ListOrganizations is documented for personal tokens, so its refusal alone does not condemn a credential: if the
organization is known, the list of its tokens decides.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from astro_provider.access.model import OWNER
from astro_provider.astro.api import ApiToken, AstroClient, Organization
from astro_provider.astro.api.claims import claims_in, own_token_in, permissions_in
from astro_provider.astro.api.deadline import operation
from astro_provider.astro.api.failures import TOKENS_ACCESS
from astro_provider.astro.api.models import given
from astro_provider.astro.reading.reader import Reader, Readers
from astro_provider.astro.roles import ORGANIZATION
from astro_provider.astro.settings import HOST, ORGANIZATION_ID, SETTLE, TOKEN, Settings, only_organization
from astro_provider.astro.writing.merge import fitting_settle_seconds
from astro_provider.commands.diagnosis.checks import NO_SETTINGS, Check, Result, failed, ok, unknown, warning
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
from astro_provider.messages.words import counted

BOUND_SECONDS = 5.0  # of all calls together; the stack comes before them, and a whole diagnosis has eight
SOON = timedelta(days=14)  # enough to have a new token made
ONE_PERMISSION = (
    "Astro's published API has this one permission for reading and for writing tokens, so a credential that previews "
    "and cannot write does not exist."
)
ORGANIZATION_UNKNOWN = "the organization is not known"
NO_CREDENTIAL = "no-credential"  # sent if there is none: an answer of 401 shows that the service is there
NAMES = ("credential", "expiry", "organization", "service", "read tokens", "write tokens")


def check_service(environ: Mapping[str, str], stack: Configuration | None = None) -> list[Check]:
    """Return the checks, always in the same order; the environment comes before the stack's configuration."""
    configuration = stack or Configuration()
    try:
        settings = Settings.find(configuration.value, environ)
    except SettingsError as error:
        return [Check("settings", *failed(str(error))), *(Check(name, *NO_SETTINGS) for name in NAMES)]
    settings = replace(settings, timeout_seconds=min(settings.timeout_seconds, BOUND_SECONDS))
    credential = settings.credential.get_secret_value() if settings.credential else NO_CREDENTIAL
    client = AstroClient(
        settings.host, lambda: credential, bound_seconds=settings.timeout_seconds, trace_file=settings.trace_file
    )
    with closing(client), operation(settings.timeout_seconds):
        view = _look(settings, client)
    results = (
        _credential(view, configuration),
        _expiry(view),
        _organization(view, environ),
        _service(view),
        _reading(view),
        _writing(view),
    )
    return [Check(name, *result) for name, result in zip(NAMES, results, strict=True)]


@dataclass
class _View:
    """All that could be seen of the service; a field that comes after a failure is None."""

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
        """The reason why the organization's tokens could not be read; None if they could."""
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
    except SettingsError as error:  # an unusable proxy, certificate file or trace
        view.refusal = Unavailable(str(error))
    view.seconds = time.monotonic() - started
    view.organization_id = view.organization_id or only_organization(view.organizations or ())
    if view.hidden_by is not None:
        return view
    reader = Readers(client).of(view.organization_id)
    try:
        view.tokens = reader.tokens().listed
        started = time.monotonic()
        if own_id := own_token_in(claims):
            view.own = _token(reader, own_id)
            view.read_seconds = time.monotonic() - started
        others = (token for token in view.tokens if token.scope == ORGANIZATION)
        view.sample = view.own or next((found for token in others if (found := _token(reader, token.id))), None)
    except AstroProviderError as error:
        view.unread = error
    return view


def _token(reader: Reader, token_id: str) -> ApiToken | None:
    try:
        return reader.whole_token(token_id)
    except NotFound:
        return None


def _credential(view: _View, stack: Configuration) -> Result:
    if view.settings.credential is None:
        if stack.has_secret_token:
            return unknown(
                f"{TOKEN.variable} is not set; {TOKEN.config_key} of the stack is, a secret that was not read.",
                f"Export {TOKEN.variable} as well to have the credential looked at.",
            )
        looked = "is not set either" if stack.was_seen else "was not looked at"
        return failed(
            f"{TOKEN.variable} is not set.",
            f"Export it: an API token of the organization. {TOKEN.config_key} in a stack's configuration serves Pulumi "
            f"only, and {looked}.",
        )
    if isinstance(view.refusal, (Unavailable, UnexpectedAnswer)):
        return unknown(f"{TOKEN.variable} is set; it is not known whether Astro takes it, because {view.hidden_by}.")
    if isinstance(view.unread, CredentialRefused):
        advice = "Make a new API token of the organization, or rotate this one, and export it."
        return failed(f"{TOKEN.variable} is set, and Astro refuses it.", advice)
    if isinstance(view.refusal, CredentialRefused) and view.organization_id is None:
        return unknown(
            f"{TOKEN.variable} is set, and Astro refuses it for the list of organizations, which it documents for "
            "personal tokens.",
            f"Export {ORGANIZATION_ID.variable}: then another call shows whether Astro takes the credential.",
        )
    whose = f", the secret of token {view.own.name!r} ({view.own.id})" if view.own else ""
    return ok(f"{TOKEN.variable} is set{whose}.")


def _expiry(view: _View) -> Result:
    if view.settings.credential is None:
        return _not_looked_at(view)
    ends = [moment for moment in (_moment(view.claims.get("exp")), view.own and view.own.end_at) if moment]
    if not ends and view.own is None:
        return unknown("The credential's claims do not contain its expiry.")
    if not ends:
        return ok("The credential does not expire.")
    end, now = min(ends), datetime.now(UTC)
    advice = "Rotate the token, or make a new one, and export it."
    if end <= now:
        return failed(f"The credential expired on {end:%Y-%m-%d}.", advice)
    left = f"The credential expires on {end:%Y-%m-%d}, in {counted((end - now).days, 'day')}."
    return warning(left, advice) if end - now < SOON else ok(left)


def _moment(expires: object) -> datetime | None:
    try:
        return given(datetime.fromtimestamp(expires, UTC)) if isinstance(expires, (int, float)) else None
    except (OverflowError, ValueError, OSError):
        return None


def _organization(view: _View, environ: Mapping[str, str]) -> Result:
    found, claimed = view.organization_id, permissions_in(view.claims, "organizationId")
    if found is None:
        if view.hidden_by != ORGANIZATION_UNKNOWN:
            return _not_looked_at(view)
        seen = ", ".join(f"{one.name or 'unnamed'} ({one.id})" for one in view.organizations or ())
        what = "may not list organizations" if view.organizations is None else f"sees {seen or 'none'}"
        return failed(
            f"Neither {ORGANIZATION_ID.variable} nor the credential names it, and the credential {what}.",
            f"Export {ORGANIZATION_ID.variable}.",
        )
    named = next((f"{one.name!r} ({found})" for one in view.organizations or () if one.id == found and one.name), found)
    if not (environ.get(ORGANIZATION_ID.variable) or "").strip():
        if view.settings.organization_id and view.settings.organization_id not in claimed:
            return ok(f"{named}, from the stack's {ORGANIZATION_ID.config_key}.")
        whence = "the credential's claims" if view.settings.organization_id else "the only one that the credential sees"
        return ok(f"{named}, from {whence}.")
    text = f"{named}, from {ORGANIZATION_ID.variable}"
    if not claimed or found in claimed:
        return ok(f"{text}.")
    text = f"{text}, but the credential is for {', '.join(claimed)}."
    return warning(text, f"Unset {ORGANIZATION_ID.variable}, or export another credential.")


def _service(view: _View) -> Result:
    if isinstance(view.refusal, (Unavailable, UnexpectedAnswer)):
        return failed(f"{view.settings.host}: {view.refusal}", f"Check the network, its proxy, and {HOST.variable}.")
    settle_seconds = view.settings.settle_seconds
    if settle_seconds and view.read_seconds > settle_seconds / 2:
        return warning(
            f"Reading one token took {view.read_seconds:.2f} s. No list is written that was read longer than half of "
            f"settleSeconds ({settle_seconds:g}) ago, so every write would fail.",
            f"Set {SETTLE.config_key} (or {SETTLE.variable}) to {fitting_settle_seconds(view.read_seconds)} or more, "
            "wherever tokens of this organization are written.",
        )
    return ok(f"{view.settings.host} answered in {view.seconds:.2f} s.")


def _reading(view: _View) -> Result:
    if view.hidden_by:
        return _not_looked_at(view)
    if view.unread:
        return failed(str(view.unread), ONE_PERMISSION)
    tokens = view.tokens or []
    if view.sample and view.sample.roles is None:
        return failed(
            f"Astro shows the {len(tokens)} tokens of the organization without their roles.",
            f"The credential needs the permission {TOKENS_ACCESS}: give its token the role Organization Owner.",
        )
    what = "with their roles" if view.sample else "and no organization token with roles to look at"
    return ok(f"Astro shows {len(tokens)} tokens, {what}.")


def _writing(view: _View) -> Result:
    if view.hidden_by:
        return _not_looked_at(view)
    held = [e.role for e in (view.own.roles if view.own else None) or () if e.entity_type == ORGANIZATION]
    if OWNER in held:
        return ok(f"The credential's role is {OWNER}, which has {TOKENS_ACCESS}; not tried.")
    if held:
        why = f"the credential's role is {held[0]}, and only {OWNER} is documented to have {TOKENS_ACCESS}"
    elif view.own:
        why = "Astro does not show the role of the credential's own token"
    else:
        why = "the credential's own token is not known"
    more = "" if view.unread else f" {ONE_PERMISSION}"  # of an error, the check of reading has this advice
    advice = f"Make sure that the credential has the permission {TOKENS_ACCESS}; the first write will show.{more}"
    return unknown(f"Cannot be seen without a write: {why}.", advice)


def _not_looked_at(view: _View) -> Result:
    return unknown(f"Not looked at, because {view.hidden_by}.")
