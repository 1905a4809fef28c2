"""Where each setting comes from, and what is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from pydantic import SecretStr

from astro_provider.astro.settings import (
    HOST,
    LOCK_DIRECTORY,
    ORGANIZATION_ID,
    PREVIEW_CHECKS,
    SETTLE,
    TIMEOUT,
    TRACE,
    PreviewChecks,
    Settings,
    Source,
    no_organization,
    only_organization_in,
    unknown_in_words,
)
from astro_provider.errors import SettingsError

Values = dict[str, Any]


def find(environ: dict[str, str] | None = None, config: Values | None = None) -> Settings:
    return Settings.find((config or {}).get, environ or {})


def refusal(environ: dict[str, str] | None = None, config: Values | None = None) -> str:
    with pytest.raises(SettingsError) as refused:
        find(environ, config)
    return str(refused.value)


def jwt(claims: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"e30.{payload}.c2lnbmF0dXJl"


def test_without_any_setting_the_defaults_hold() -> None:
    assert find() == Settings(
        credential=None,
        organization_id=None,
        host="https://api.astronomer.io",
        timeout_seconds=120.0,
        settle_seconds=1.0,
        lock_directory=None,
        preview_checks=PreviewChecks.WARN,
    )


@pytest.mark.parametrize(
    ("variable", "key", "attribute", "text", "expected"),
    [
        ("ASTRO_API_TOKEN", "astro:token", "credential", "secret", SecretStr("secret")),
        ("ASTRO_ORGANIZATION_ID", "astro:organizationId", "organization_id", "org", "org"),
        ("ASTRO_API_HOST", "astro:host", "host", "https://eu.example.com", "https://eu.example.com"),
        ("ASTRO_PREVIEW_CHECKS", "astro:previewChecks", "preview_checks", "strict", PreviewChecks.STRICT),
        ("ASTRO_PREVIEW_CHECKS", "astro:previewChecks", "preview_checks", "off", PreviewChecks.OFF),
        ("ASTRO_TIMEOUT_SECONDS", "astro:timeoutSeconds", "timeout_seconds", "7.5", 7.5),
        ("ASTRO_SETTLE_SECONDS", "astro:settleSeconds", "settle_seconds", "0.5", 0.5),
        ("ASTRO_SETTLE_SECONDS", "astro:settleSeconds", "settle_seconds", "0", 0.0),
        ("ASTRO_LOCK_DIR", "astro:lockDir", "lock_directory", "/run/astro", "/run/astro"),
    ],
)
class TestEverySetting:
    def test_comes_from_the_environment(
        self, variable: str, key: str, attribute: str, text: str, expected: Any
    ) -> None:
        found = find({variable: text}, {key: ""})

        assert expected == getattr(found, attribute)

    def test_else_from_the_configuration(
        self, variable: str, key: str, attribute: str, text: str, expected: Any
    ) -> None:
        found = find({}, {key: text})

        assert variable
        assert expected == getattr(found, attribute)

    def test_is_taken_from_the_environment_where_both_tell(
        self, variable: str, key: str, attribute: str, text: str, expected: Any
    ) -> None:
        found = find({variable: text}, {key: "not looked at"})

        assert expected == getattr(found, attribute)

    @pytest.mark.parametrize("blank", ["", "  ", "\t\n"])
    def test_counts_as_unset_where_it_is_blank(  # noqa: PLR0913, PLR0917  one case has five columns
        self, variable: str, key: str, attribute: str, text: str, expected: Any, blank: str
    ) -> None:
        found = find({variable: blank}, {key: text})

        assert expected == getattr(found, attribute)
        assert find() == find({variable: blank}, {key: blank})

    def test_is_read_without_the_blanks_around_it(
        self, variable: str, key: str, attribute: str, text: str, expected: Any
    ) -> None:
        found = find({variable: f" {text}\n"}, {key: ""})

        assert expected == getattr(found, attribute)


def test_a_number_in_the_configuration_is_read_as_its_text() -> None:
    assert find({}, {"astro:timeoutSeconds": 30}).timeout_seconds == 30.0


# The credential


@pytest.mark.parametrize("credential", ["two words", "two\nlines", "a\ttab", "naïve", "zero\u200bwidth", "bell\a"])
def test_a_credential_that_no_header_can_carry_is_refused_without_being_shown(credential: str) -> None:
    text = refusal({"ASTRO_API_TOKEN": credential})

    assert text == (
        "The credential in ASTRO_API_TOKEN (environment) or astro:token (pulumi config) holds blanks or characters that "
        "no API token has. Copy it again."
    )
    assert credential not in text


def test_the_credential_does_not_show_in_the_settings() -> None:
    assert "hush" not in repr(find({"ASTRO_API_TOKEN": "hush"}))


def test_the_credential_is_handed_out_in_clear_on_demand() -> None:
    assert find({"ASTRO_API_TOKEN": "hush"}).require_credential() == "hush"


def test_without_a_credential_the_error_names_every_place_looked_at() -> None:
    with pytest.raises(SettingsError) as refused:
        find().require_credential()

    assert str(refused.value) == (
        "No credential for Astro: looked at ASTRO_API_TOKEN (environment) or astro:token (pulumi config). Export "
        "ASTRO_API_TOKEN, or run `pulumi config set --secret astro:token`."
    )


# The organization


def test_the_only_organization_of_the_claims_is_found() -> None:
    credential = jwt({"permissions": ["apiTokenId:t", "organizationId:org-1", "workspaceId:w"]})

    assert find({"ASTRO_API_TOKEN": credential}).organization_id == "org-1"


def test_a_setting_comes_before_the_claims() -> None:
    credential = jwt({"permissions": ["organizationId:org-1"]})

    found = find({"ASTRO_API_TOKEN": credential}, {"astro:organizationId": "org-2"})

    assert found.organization_id == "org-2"


def test_the_same_organization_claimed_twice_is_one() -> None:
    credential = jwt({"permissions": ["organizationId:org-1", "organizationId:org-1"]})

    assert only_organization_in(SecretStr(credential)) == "org-1"


@pytest.mark.parametrize(
    "credential",
    [
        "opaque",
        "a.b.c",
        "a.!!!.c",
        "..",
        jwt({}),
        jwt([]),
        jwt("text"),
        jwt({"permissions": None}),
        jwt({"permissions": 7}),
        jwt({"permissions": [7, None]}),
        jwt({"permissions": []}),
        jwt({"permissions": ["workspaceId:w"]}),
        jwt({"permissions": ["organizationId:org-1", "organizationId:org-2"]}),
    ],
)
def test_claims_that_do_not_tell_one_organization_tell_none(credential: str) -> None:
    assert only_organization_in(SecretStr(credential)) is None


def test_a_blank_organization_in_the_claims_tells_none() -> None:
    assert not find({"ASTRO_API_TOKEN": jwt({"permissions": ["organizationId:"]})}).organization_id


@pytest.mark.parametrize("value", ['"clorg"', "'clorg'", "cl/org", "..", "\ufeffclorg", "cl org"])
def test_an_organization_that_can_be_no_id_is_told_before_anything_is_asked(value: str) -> None:
    assert refusal({"ASTRO_ORGANIZATION_ID": value}) == (
        f"{value!r} in ASTRO_ORGANIZATION_ID (environment) or astro:organizationId (pulumi config) is no id: write the id "
        "alone, without quotes and blanks."
    )


def test_a_secret_in_the_place_of_an_organization_is_told_and_not_shown() -> None:
    secret = f"eyJhbGci{jwt({'permissions': []})}"

    text = refusal({}, {"astro:organizationId": secret})

    assert secret not in text
    assert "rotate the token in Astro" in text


def test_no_credential_claims_nothing() -> None:
    assert only_organization_in(None) is None


def test_without_an_organization_the_error_names_all_five_places_and_how_many_were_seen() -> None:
    assert str(no_organization(3)) == (
        "No organization: looked at the argument organization_id, ASTRO_ORGANIZATION_ID (environment) or "
        "astro:organizationId (pulumi config), the claims of the credential, and the organizations that it can see (3; "
        "exactly one would do). Set one of the first three."
    )


# The host


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("api.eu.example.com", "https://api.eu.example.com"),
        ("https://api.example.com/", "https://api.example.com"),
        ("HTTPS://api.example.com:8443", "https://api.example.com:8443"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://localhost:8765/", "http://localhost:8765"),
        ("http://[::1]:8765", "http://[::1]:8765"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ("https://api.example.com.", "https://api.example.com."),
        ("https://astro.bücher.example", "https://astro.bücher.example"),
        ("https://my_host-1", "https://my_host-1"),
    ],
)
def test_a_host_is_scheme_and_name(host: str, expected: str) -> None:
    assert expected == find({"ASTRO_API_HOST": host}).host


@pytest.mark.parametrize(
    "host",
    [
        "http://api.example.com",
        "http://localhost.example.com",
        "http://127.0.0.1.example.com",
        "http://0.0.0.0:80",
        "http://192.168.1.1",
        "http://[2001:db8::1]",
        "ftp://api.example.com",
        "ftp://127.0.0.1",
    ],
)
def test_plain_http_is_for_this_machine_only(host: str) -> None:
    assert refusal({"ASTRO_API_HOST": host}) == (
        f"{host!r} in ASTRO_API_HOST (environment) or astro:host (pulumi config) would send the credential in clear: "
        "write https:// (plain http is only for this machine, as in http://127.0.0.1:8765)."
    )


@pytest.mark.parametrize(
    "host",
    [
        "https://",
        "https://:8080",
        "https://api.example.com/v1",
        "https://api.example.com?x=1",
        "https://api.example.com#x",
        "https://api.example.com:0",
        "https://api.example.com:99999",
        "https://api.example.com:port",
        "https://[::1",
        "https://a..b",
        "https://.a",
        "https://" + "a" * 64 + ".example.com",
        "https://ü..example.com",
        "https://a*b.example.com",
        "https://api example.com",
        "https://api\texample.com",
    ],
)
def test_what_is_no_service_is_refused_with_an_example(host: str) -> None:
    assert refusal({"ASTRO_API_HOST": host}) == (
        f"{host!r} in ASTRO_API_HOST (environment) or astro:host (pulumi config) is no service: write scheme and host "
        "only, as in https://api.astronomer.io."
    )


@pytest.mark.parametrize(
    "host",
    [
        "https://user:hush@api.example.com",
        "https://hush@api.example.com",
        "https://:hush@api.example.com",
        "http://user:hush@api.example.com",
        "user:hush@api.example.com",
        "https://user:hush@api.example.com/path?hush=hush",
    ],
)
def test_a_host_with_a_password_is_refused_without_the_password(host: str) -> None:
    text = refusal({"ASTRO_API_HOST": host})

    assert text.startswith("'api.example.com' in ASTRO_API_HOST (environment) or astro:host (pulumi config)")
    assert "hush" not in text


# The others


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "nan", "inf", "1 minute", "1,5"])
def test_a_timeout_that_is_no_time_is_refused(seconds: str) -> None:
    assert refusal({"ASTRO_TIMEOUT_SECONDS": seconds}) == (
        f"{seconds!r} in ASTRO_TIMEOUT_SECONDS (environment) or astro:timeoutSeconds (pulumi config) is not a number of "
        "seconds above 0: write, for example, 120."
    )


@pytest.mark.parametrize("seconds", ["-0.1", "soon", "nan", "inf"])
def test_a_settle_time_that_is_no_time_is_refused(seconds: str) -> None:
    assert refusal({"ASTRO_SETTLE_SECONDS": seconds}) == (
        f"{seconds!r} in ASTRO_SETTLE_SECONDS (environment) or astro:settleSeconds (pulumi config) is not a number of "
        "seconds, 0 or more: write, for example, 1."
    )


def test_a_time_that_no_clock_can_wait_for_is_refused_with_the_most_that_is_allowed() -> None:
    assert refusal({"ASTRO_SETTLE_SECONDS": "1e18"}) == (
        "'1e18' in ASTRO_SETTLE_SECONDS (environment) or astro:settleSeconds (pulumi config) is too long: write 600 seconds "
        "at most, for example 1."
    )
    assert refusal({"ASTRO_TIMEOUT_SECONDS": "86401"}) == (
        "'86401' in ASTRO_TIMEOUT_SECONDS (environment) or astro:timeoutSeconds (pulumi config) is too long: write 86400 "
        "seconds at most, for example 120."
    )
    assert find({"ASTRO_SETTLE_SECONDS": "600", "ASTRO_TIMEOUT_SECONDS": "86400"}).settle_seconds == 600


def test_a_credential_whose_claims_nest_without_end_has_no_claims() -> None:
    claims = base64.urlsafe_b64encode(b"[" * 10_000 + b"]" * 10_000).decode()

    assert find({"ASTRO_API_TOKEN": f"e30.{claims}.x"}).organization_id is None


def test_unknown_preview_checks_are_refused_with_the_choices() -> None:
    assert refusal({}, {"astro:previewChecks": "loose"}) == (
        "'loose' in ASTRO_PREVIEW_CHECKS (environment) or astro:previewChecks (pulumi config) is unknown: write one of "
        "warn, strict, off."
    )


@pytest.mark.parametrize(
    "source", [ORGANIZATION_ID, HOST, PREVIEW_CHECKS, TIMEOUT, SETTLE, LOCK_DIRECTORY, TRACE], ids=str
)
@pytest.mark.parametrize("secret", ["eyJhbGciOiJub25lIn0.eyJzdWIiOiJzb21lYm9keSJ9.c2lnbmF0dXJl", "the-credential"])
def test_a_credential_in_another_setting_is_refused_unseen(source: Source, secret: str) -> None:
    environ = {"ASTRO_API_TOKEN": "the-credential", source.variable: secret}

    with pytest.raises(SettingsError) as raised:
        Settings.find(lambda _key: None, environ)

    assert str(raised.value).startswith(f"{source} holds what looks like the secret value of an API token")
    assert secret not in str(raised.value)


@pytest.mark.parametrize(
    ("key", "means"),
    [
        ("astro:previewCheks", " (nearest: 'astro:previewChecks')"),
        ("astro:preview_checks", " (nearest: 'astro:previewChecks')"),
        ("astro:organizationID", " (nearest: 'astro:organizationId')"),
        ("astro:settle", " (nearest: 'astro:settleSeconds')"),
    ],
)
def test_a_key_that_no_setting_has_is_named_with_the_nearest_one(key: str, means: str) -> None:
    text = unknown_in_words(key)

    assert text == f"{key} is no setting of this provider{means}, so it has no effect. Correct the key, or remove it."


def test_a_key_that_is_near_to_none_is_named_with_all_settings() -> None:
    assert unknown_in_words("astro:x") == (
        "astro:x is no setting of this provider (there are: astro:token, astro:organizationId, astro:host, "
        "astro:previewChecks, astro:timeoutSeconds, astro:settleSeconds, astro:lockDir, astro:trace), so it has no effect. "
        "Correct the key, or remove it."
    )


def test_keys_of_other_namespaces_are_not_looked_at() -> None:
    keys = ["aws:region", "astronomer:token", "infra:astro", "astro:host", "astro:hots"]

    assert Settings.find(lambda _key: None, {}, keys).unknown == ("astro:hots",)


@pytest.mark.parametrize(
    ("variable", "meant"),
    [
        ("ASTRO_PREVIEW_CHEKS", "'ASTRO_PREVIEW_CHECKS'"),
        ("ASTRO_PREVEIW_CHECKS", "'ASTRO_PREVIEW_CHECKS'"),
        ("ASTRO_ORGANISATION_ID", "'ASTRO_ORGANIZATION_ID'"),
        ("ASTRO_API_TOKNE", "'ASTRO_API_TOKEN'"),
        ("ASTRO_APIHOST", "'ASTRO_API_HOST'"),
        ("ASTRO_LOCK_DIS", "'ASTRO_LOCK_DIR'"),
        ("ASTRO_TRAC", "'ASTRO_TRACE'"),
        ("ASTRO_SETTLE_SECOND", "'ASTRO_SETTLE_SECONDS', 'ASTRO_TIMEOUT_SECONDS'"),
    ],
)
def test_a_misspelled_variable_is_named_with_the_nearest_one(variable: str, meant: str) -> None:
    [unknown] = Settings.find(lambda _key: None, {variable: "anything", "PATH": "/bin"}).unknown

    assert unknown_in_words(unknown) == (
        f"{variable} is no setting of this provider (nearest: {meant}), so it has no effect. Correct the variable, or "
        "remove it."
    )


@pytest.mark.parametrize(
    "variable",
    [
        # Of the Astro CLI, of its agent, of Airflow on Astro, and of the web framework that is called Astro.
        *("ASTRO_HOME", "ASTRO_DOMAIN", "ASTRO_TOKEN", "ASTRO_ORGANIZATION", "ASTRO_REGISTRY_URL"),
        *("ASTRO_WORKSPACE_ID", "ASTRO_DEPLOYMENT_ID", "ASTRO_TELEMETRY_DISABLED", "ASTRO_TELEMETRY_API_URL"),
        *("ASTRO_DB_APP_TOKEN", "ASTRO_STUDIO_APP_TOKEN", "ASTRO_KEY", "ASTRO_DATABASE_FILE"),
        # Of scripts: near in kind, not in letters.
        *("ASTRO_ORG_ID", "ASTRO_HOST", "ASTRO_CLI_TOKEN", "ASTRO_LOG_DIR", "ASTRO_API_PORT", "ASTRO_TIMEOUT"),
        *("ASTRO_API_TOKEN_PROD", "ASTRO_API_TOKEN2", "ASTRO_API_HOSTS", "astro_api_tokens", "MY_ASTRO_API_TOKN"),
    ],
)
def test_a_variable_of_something_else_is_passed_over(variable: str) -> None:
    assert Settings.find(lambda _key: None, {variable: "anything"}).unknown == ()


def test_a_misspelled_variable_is_passed_over_if_it_is_blank_or_the_setting_is_there_too() -> None:
    assert Settings.find(lambda _key: None, {"ASTRO_PREVIEW_CHEKS": " "}).unknown == ()
    assert Settings.find(lambda _key: None, {"ASTRO_PREVIEW_CHEKS": "off", "ASTRO_PREVIEW_CHECKS": "off"}).unknown == ()
    assert Settings.find(lambda _key: None, {"ASTRO_PREVIEW_CHEKS": "off", "ASTRO_PREVIEW_CHECKS": ""}).unknown != ()
