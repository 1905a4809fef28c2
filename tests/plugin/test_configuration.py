"""Where a native provider's settings come from, what is wrong with them, and what a change of them changes."""

from __future__ import annotations

from typing import Any

import pytest

from astro_emulator import Emulator
from astro_provider import native
from astro_provider.errors import SettingsError
from tests.support.cast import ORGANIZATION_ID
from tests.support.native_process import NativeProcess, native_process
from tests.support.provider_process import UNKNOWN, Checked, Properties, secret
from tests.support.raw_server import free_port

NOBODY = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJub2JvZHkifQ.c2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("timeoutSeconds", "soon", "is not a number of seconds above 0: write, for example, 120."),
        ("timeoutSeconds", 0.0, "is not a number of seconds above 0: write, for example, 120."),
        ("settleSeconds", "-1", "is not a number of seconds, 0 or more: write, for example, 1."),
        ("previewChecks", "perhaps", "is unknown: write one of warn, strict, off."),
        ("host", "https://a..b", "is no service: write scheme and host only, as in https://api.astronomer.io."),
        ("organizationId", '"clorg"', "is no id: write the id alone, without quotes and blanks."),
    ],
)
def test_a_malformed_setting_is_a_problem_of_its_property(
    process: NativeProcess, name: str, value: object, reason: str
) -> None:
    [(on, text)] = process.check_config({name: value, "lockDir": "/tmp"}).failures

    assert on == name
    assert text.endswith(reason)


@pytest.mark.parametrize(
    ("name", "value"),
    [("token", "two words"), ("host", "https://ada:lovelace@example.com/x"), ("organizationId", NOBODY)],
)
def test_a_malformed_setting_that_may_be_secret_is_not_told_beside_its_value(
    process: NativeProcess, name: str, value: str
) -> None:
    [(on, text)] = process.check_config({name: value}, name="theirs").failures

    # The engine prints the value of a property beside its problem.
    assert on == ""
    assert text.startswith(f"{name}: ")
    assert value not in text
    assert "lovelace" not in text


@pytest.mark.parametrize("name", ["host", "previewChecks", "organizationId", "timeoutSeconds"])
@pytest.mark.parametrize("in_the_environment", [True, False])
def test_an_opaque_credential_in_another_setting_is_not_printed(
    process: NativeProcess, environment: dict[str, str], *, name: str, in_the_environment: bool
) -> None:
    opaque = environment["ASTRO_API_TOKEN"] if in_the_environment else "s3cr3t-and-0paque"
    given = {name: opaque} if in_the_environment else {"token": secret(opaque), name: opaque}

    [(on, text)] = process.check_config(given).failures

    assert on == ""
    assert text.startswith(f"{name}: ")
    assert opaque not in text


def test_the_credential_of_a_provider_of_a_program_is_a_secret_in_any_case(process: NativeProcess) -> None:
    host = {"host": "https://api.astronomer.io"}

    for given in (NOBODY, secret(NOBODY)):
        assert process.check_config({"token": given, **host}, name="theirs") == Checked(
            {"token": secret(NOBODY), **host}, []
        )


def test_a_credential_in_clear_in_the_configuration_of_the_stack_is_refused(
    environment: dict[str, str], astro: Emulator, wanted: Properties
) -> None:
    in_clear = _asks(environment, wanted, {"token": astro.credential}, "default_0_1_0").failures
    encrypted = _asks(environment, wanted, {"token": secret(astro.credential)}, "default_0_1_0").failures

    [(on, text)] = in_clear
    assert on == ""
    assert text.startswith(
        "astro:token is set without --secret, so it would stand in the state in clear. Set it again "
    )
    assert encrypted == []


def test_the_credential_of_the_stack_s_configuration_keeps_the_mark_of_the_engine(process: NativeProcess) -> None:
    assert process.check_config({"token": NOBODY}) == Checked({"token": NOBODY}, [])


def test_a_setting_that_is_not_known_yet_is_no_problem(process: NativeProcess) -> None:
    settings = {"token": UNKNOWN, "timeoutSeconds": UNKNOWN, "organizationId": UNKNOWN}

    checked = process.check_config(settings, name="theirs")

    assert checked == Checked({**settings, "token": secret(UNKNOWN)}, [])


@pytest.mark.parametrize(
    "change", [{"token": "other"}, {"host": "https://other"}, {"organizationId": "clother"}, {"token": UNKNOWN}, {}]
)
def test_another_setting_changes_the_provider_in_place(process: NativeProcess, change: Properties) -> None:
    before = {"token": NOBODY, "host": "https://api.astronomer.io"}

    difference = process.diff_config(before, {**before, **change})

    assert (difference.changes, difference.replaces) == (change != {}, [])


@pytest.mark.parametrize(
    ("old", "new", "replaces"),
    [
        ({"organizationId": "clone"}, {"organizationId": "clother"}, ["organizationId"]),
        ({"organizationId": "clone"}, {"organizationId": "clone", "host": "https://other"}, []),
        ({"organizationId": "clone"}, {"organizationId": UNKNOWN}, []),
        ({"organizationId": "clone"}, {}, []),  # the environment may name the same
        ({"token": "one"}, {"token": "other"}, []),
    ],
)
def test_another_organization_replaces_a_provider_of_a_program(
    process: NativeProcess, old: Properties, new: Properties, replaces: list[str]
) -> None:
    difference = process.diff_config(old, new, name="theirs")

    assert difference.changes
    assert difference.replaces == replaces


def _asks(environment: dict[str, str], wanted: Properties, configuration: Properties, name: str) -> Checked:
    with native_process({**environment, "ASTRO_TIMEOUT_SECONDS": "2"}) as process:
        process.configure(configuration, name)
        return process.check(wanted)


def test_the_environment_comes_before_the_configuration_of_the_default_provider(
    environment: dict[str, str], wanted: Properties
) -> None:
    elsewhere = {"token": secret(NOBODY), "host": f"http://127.0.0.1:{free_port()}", "organizationId": ORGANIZATION_ID}

    for name in ("default", "default_0_1_0"):
        assert _asks(environment, wanted, elsewhere, name).failures == []


def test_what_a_program_gives_to_a_provider_comes_before_the_environment(
    environment: dict[str, str], astro: Emulator, wanted: Properties
) -> None:
    env = {
        **environment,
        "ASTRO_API_TOKEN": NOBODY,
        "ASTRO_API_HOST": f"http://127.0.0.1:{free_port()}",
        "ASTRO_ORGANIZATION_ID": "clother",
        "ASTRO_PREVIEW_CHECKS": "off",
    }
    given = {"token": secret(astro.credential), "host": astro.url, "previewChecks": "strict"}

    for name in ("theirs", "default_of_theirs", "default2"):
        checked = _asks(env, wanted, given, name)

        assert checked.failures == []
        assert checked.inputs["organizationId"] == astro.organization_id
        assert "orgTokenId" in checked.inputs


def test_what_a_program_leaves_out_comes_from_the_environment(environment: dict[str, str], wanted: Properties) -> None:
    checked = _asks(environment, wanted, {"timeoutSeconds": "5", "token": " "}, "theirs")

    assert checked.failures == []
    assert "orgTokenId" in checked.inputs


@pytest.mark.parametrize("given", [12345678.0, "12345678"])
def test_an_id_of_digits_keeps_them_all(environment: dict[str, str], wanted: Properties, given: Any) -> None:
    checked = _asks(environment, wanted, {"organizationId": given, "previewChecks": "off"}, "theirs")

    assert checked.inputs["organizationId"] == "12345678"


@pytest.mark.parametrize("name", ["default", "default_1_0_0"])
def test_a_program_gives_no_provider_a_name_of_the_engine_s_own(name: str) -> None:
    with pytest.raises(SettingsError, match=f"A provider named '{name}' counts as Pulumi's own"):
        native.Provider(name)


@pytest.mark.parametrize("given", [5.0, "5", "5.0"])
def test_a_number_may_be_a_number_or_text(environment: dict[str, str], wanted: Properties, given: Any) -> None:
    assert _asks(environment, wanted, {"timeoutSeconds": given}, "theirs").failures == []
