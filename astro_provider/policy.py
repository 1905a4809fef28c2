"""The rules of `access.toml` as a policy pack, so that a preview stops where the comment and the nightly audit complain.

A pack is a program of two lines, which the extra `policy` makes runnable:

    from astro_provider.policy import serve
    serve("access.toml")

It reads our resources only and changes nothing. A rule that needs a value which a preview does not know yet is decided at
the update, and the engine says so. Names of deployments are read from Astro with the credential of the environment, once;
without a credential, a rule that needs a name counts as broken.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from pulumi_policy import (
    EnforcementLevel,
    Policy,
    PolicyPack,
    PolicyResource,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from astro_provider.access.facts import Deployment, Facts
from astro_provider.access.model import Names, text_of
from astro_provider.access.resources import OURS, Incomprehensible, grants
from astro_provider.access.rules import Asked, Rule, Rules, Verdict, verdicts, verdicts_of_one
from astro_provider.access.rules_file import read_rules
from astro_provider.astro.reading.reader import Readers
from astro_provider.astro.settings import Settings
from astro_provider.errors import AstroProviderError
from astro_provider.names import UNKNOWN_TEXT

NAME = "astro-access"
DESCRIPTIONS = {
    Rule.ROLE: "Only roles that access.toml allows are given to organization tokens in a deployment.",
    Rule.ADMIN: "Only tokens that access.toml names may be DEPLOYMENT_ADMIN.",
    Rule.PROTECT: "Bindings of organization tokens are protected if access.toml asks for it.",
    Rule.OVERWRITE: "Bindings of organization tokens do not overwrite roles if access.toml forbids it.",
    Rule.ADMINS: "A deployment has no more tokens that are DEPLOYMENT_ADMIN than access.toml allows.",
}

FactsOf = Callable[[str | None], Facts]


def serve(
    rules_file: str | Path = "access.toml",
    *,
    name: str = NAME,
    enforcement_level: EnforcementLevel = EnforcementLevel.MANDATORY,
) -> None:
    """Serve the rules as a policy pack until the engine ends it.

    Args:
        rules_file: the file of the rules.
        name: the name of the pack.
        enforcement_level: the engine's reaction to a broken rule.

    Raises:
        UnusableInput: the rules cannot be used; the text names the line.
    """
    rules = read_rules(Path(rules_file).read_text(encoding="utf-8"), str(rules_file))
    PolicyPack(name, policies(rules), enforcement_level)


def policies(rules: Rules) -> list[Policy]:
    """Return the rules as policies, one for each kind of rule."""
    facts_of = _from_astro()
    found: list[Policy] = [
        ResourceValidationPolicy(rule.value, description, partial(_validate_resource, rules, rule, facts_of))
        for rule, description in DESCRIPTIONS.items()
        if rule is not Rule.ADMINS
    ]
    validate_stack = partial(_validate_stack, rules, facts_of)
    return [*found, StackValidationPolicy(Rule.ADMINS.value, DESCRIPTIONS[Rule.ADMINS], validate_stack)]


def _validate_resource(
    rules: Rules, rule: Rule, facts_of: FactsOf, args: ResourceValidationArgs, report_violation: ReportViolation
) -> None:
    asked, unknown = _asked(args, facts_of)
    found = [verdict for one in asked for verdict in verdicts_of_one(rules, one) if verdict.rule is rule]
    _report(found, unknown, report_violation)


def _validate_stack(
    rules: Rules, facts_of: FactsOf, args: StackValidationArgs, report_violation: ReportViolation
) -> None:
    # Values that are not known yet are left to the rules about single resources, which name the resource.
    everything = [asked for one in args.resources for asked in _asked(one, facts_of)[0]]
    found = [verdict for verdict in verdicts(rules, everything) if verdict.rule is Rule.ADMINS]
    _report(found, None, report_violation)


def _report(found: Iterable[Verdict], unknown: UnknownValueError | None, report_violation: ReportViolation) -> None:
    undecided = []
    for verdict in found:
        if verdict.decided:
            report_violation(verdict.text, None)
        else:
            undecided.append(verdict)
    if undecided and unknown is not None:
        raise unknown  # the engine then prints that it applies the rule once the value is known
    for verdict in undecided:
        report_violation(f"{verdict.text} Export ASTRO_API_TOKEN, so that names can be read.", None)


def _asked(
    resource: ResourceValidationArgs | PolicyResource, facts_of: FactsOf
) -> tuple[list[Asked], UnknownValueError | None]:
    """Return the grants of a resource, none if it is not ours, and the error of a value that is not known yet."""
    if resource.resource_type not in OURS:
        return [], None
    properties, unknown = _bare(resource.props)
    state = {
        "type": resource.resource_type,
        "urn": resource.urn,
        "protect": resource.opts.protect,
        "inputs": properties,
    }
    try:
        found = grants(state, moment="asked")
    except Incomprehensible:
        return [], unknown  # the provider refuses it with a better message
    asked = []
    for grant in found:
        facts = facts_of(text_of(grant.subject.organization_id))
        asked.append(Asked.of(Names.of((), facts).completed(grant), facts))
    return asked, unknown


def _bare(properties: Mapping[str, Any]) -> tuple[dict[str, Any], UnknownValueError | None]:
    """Return the properties without the SDK's guard, which raises for a value that is not known yet, and its error."""
    found: dict[str, Any] = {}
    raised: UnknownValueError | None = None
    for name in properties:
        try:
            value = properties[name]
        except UnknownValueError as unknown:
            found[name], raised = UNKNOWN_TEXT, unknown
            continue
        if isinstance(value, Mapping):
            found[name], beneath = _bare(value)
            raised = raised or beneath
        else:
            found[name] = value
    return found, raised


def _from_astro() -> FactsOf:
    """Return a reader of an organization's deployments: one list for each, and no facts if Astro cannot be asked."""

    @cache
    def read(organization_id: str | None) -> Facts:
        try:
            settings = Settings.find(lambda _key: None, os.environ)
            if settings.credential is None:
                return Facts()
            listed = Readers(settings.client()).of(organization_id or settings.organization_id).deployments()
        except AstroProviderError:
            return Facts()
        return Facts(
            deployments={one.id: Deployment(one.id, one.name, one.workspace_name or "") for one in listed.values()}
        )

    return read
