"""Through real proxies, with real certificates: it works, or fails at once with the variable and the remedy."""

from __future__ import annotations

import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import trustme

from astro_provider.astro.api import AstroClient, network
from astro_provider.astro.api.network import find_proxy, is_excepted
from astro_provider.errors import SettingsError, Unavailable
from tests.support.proxy import ConnectProxy
from tests.support.raw_server import RawServer, Reply, free_port

HOST = "astro.example.com"
VARIABLES = (
    *network.PROXY_VARIABLES,
    *network.NO_PROXY_VARIABLES,
    *network.CERTIFICATE_VARIABLES,
    *network.UNREAD_CERTIFICATE_VARIABLES,
    *("http_proxy", "HTTP_PROXY"),
)
SOON_SECONDS = 60.0  # of a bound of two minutes


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def service(authority: trustme.CA, opened: ExitStack) -> RawServer:
    """A service that shows a certificate for HOST and for this machine."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST, "127.0.0.1", "localhost").configure_cert(tls)
    return opened.enter_context(RawServer(lambda _: Reply(body={"id": "t", "name": "ci"}), tls=tls))


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of the company's CA, named in SSL_CERT_FILE."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    return path


def read(opened: ExitStack, host: str = f"https://{HOST}") -> str:
    client = AstroClient(host, lambda: "secret-credential")
    opened.callback(client.close)
    return client.of("o").get_token("t").name


def failure(opened: ExitStack, host: str = f"https://{HOST}") -> str:
    began = time.monotonic()
    with pytest.raises((Unavailable, SettingsError)) as error:
        read(opened, host)
    assert time.monotonic() - began < SOON_SECONDS
    return str(error.value).partition(" Given up after ")[0].removeprefix("GetApiToken (organization o, token t): ")


# Proxies


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_call_goes_through_the_proxy_of_each_variable(
    opened: ExitStack, service: RawServer, monkeypatch: pytest.MonkeyPatch, variable: str, scheme: str
) -> None:
    proxy = opened.enter_context(ConnectProxy(("127.0.0.1", service.port)))
    monkeypatch.setenv(variable, f"{scheme}{proxy.address}")

    assert read(opened) == "ci"

    assert proxy.asked == [f"{HOST}:443"]


@pytest.mark.usefixtures("trusted")
def test_a_proxy_s_user_and_password_are_sent_decoded(
    opened: ExitStack, service: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = opened.enter_context(ConnectProxy(("127.0.0.1", service.port), auth="ada:p@ss/w:rd"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://ada:p%40ss%2Fw:rd@{proxy.address}")

    assert read(opened) == "ci"


def test_a_proxy_that_wants_a_password_is_told_at_once(
    opened: ExitStack, service: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = opened.enter_context(ConnectProxy(("127.0.0.1", service.port), auth="ada:hush"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://ada:wrong-hush@{proxy.address}")

    text = failure(opened)

    assert text == (
        f"the proxy http://{proxy.address} (HTTPS_PROXY) refuses to lead to {HOST} (407 Proxy Authentication Required). Set "
        "HTTPS_PROXY to http://user:password@host:port, with a user that the proxy knows."
    )
    assert len(proxy.asked) == 1


def test_a_proxy_that_refuses_to_lead_there_is_told_at_once(opened: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = opened.enter_context(ConnectProxy(("127.0.0.1", 1), refusal="403 Forbidden"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://{proxy.address}")

    assert failure(opened) == (
        f"the proxy http://{proxy.address} (HTTPS_PROXY) refuses to lead to {HOST} (403 Forbidden). Ask for access to {HOST}, "
        "or name it in NO_PROXY if it can be reached without the proxy."
    )
    assert len(proxy.asked) == 1


def test_a_proxy_that_is_not_there_is_told_at_once(opened: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("HTTPS_PROXY", f"http://ada:hush@{address}")

    assert failure(opened) == (
        f"the proxy http://{address} (HTTPS_PROXY) refuses connections ([Errno 111] Connection refused). Start it, or correct "
        "or unset HTTPS_PROXY."
    )


def test_a_proxy_whose_name_nobody_knows_is_told_after_three_tries(
    opened: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://ada:hush@proxy.invalid:3128")

    text = failure(opened)

    assert text.startswith("the name of the proxy http://proxy.invalid:3128 (ALL_PROXY) cannot be found ([Errno -")
    assert text.endswith("Correct or unset ALL_PROXY.")


@pytest.mark.parametrize(
    "value", ["socks4://127.0.0.1:1080", "http://", "http://p:port", "http://ada:a/b@proxy:3128", "http://a b:1"]
)
def test_a_proxy_that_cannot_be_used_is_told_with_its_variable_and_without_its_password(value: str) -> None:
    with pytest.raises(SettingsError) as error:
        find_proxy(f"https://{HOST}", {"HTTPS_PROXY": value})

    assert str(error.value) == (
        "The proxy in HTTPS_PROXY cannot be used: write http://host:port, http://user:password@host:port or "
        "socks5h://host:port, with special characters of a password as %XX, or unset the variable."
    )


def test_a_socks_proxy_without_its_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "socksio", None)

    with pytest.raises(SettingsError) as error:
        find_proxy(f"https://{HOST}", {"ALL_PROXY": "socks5h://127.0.0.1:1080"})

    assert str(error.value) == (
        "ALL_PROXY names a SOCKS proxy, which needs the package socksio: install socksio (the extra `socks`), or unset the "
        "variable."
    )


def test_a_socks_proxy_with_its_package_is_used(opened: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"127.0.0.1:{free_port()}"
    monkeypatch.setenv("ALL_PROXY", f"socks5h://{address}")

    assert failure(opened).startswith(f"the proxy socks5h://{address} (ALL_PROXY) refuses connections (")


@pytest.mark.parametrize("host", ["http://127.0.0.1:8765", "https://localhost", "https://[::1]:1"])
def test_this_machine_is_reached_without_a_proxy(host: str) -> None:
    assert find_proxy(host, {"ALL_PROXY": "http://proxy:3128"}) is None


@pytest.mark.parametrize(
    ("exceptions", "host", "expected"),
    [
        ("*", "https://astro.example.com", True),
        ("example.com", "https://astro.example.com", True),
        (".example.com", "https://astro.example.com", True),
        ("*.example.com", "https://astro.example.com", True),
        ("ASTRO.example.COM.", "https://astro.example.com", True),
        ("ample.com", "https://astro.example.com", False),
        ("localhost,fd00::/8, astro.example.com", "https://astro.example.com", True),
        ("localhost fd00::/8\tastro.example.com", "https://astro.example.com", True),
        ("localhost,fd00::/8", "https://astro.example.com", False),
        ("astro.example.com:443", "https://astro.example.com", True),
        ("astro.example.com:444", "https://astro.example.com", False),
        ("https://astro.example.com/", "https://astro.example.com", True),
        ("10.0.0.0/8", "https://10.1.2.3", True),
        ("10.1.2.3", "https://10.1.2.3:8443", True),
        ("10.0.0.0/8", "https://11.1.2.3", False),
        ("fd00::/8", "https://[fd00::1]", True),
        ("[fd00::1]:443", "https://[fd00::1]", True),
        ("fd00::1", "https://[fd00::2]", False),
        ("[::1", "https://astro.example.com", False),
        ("300.1.2.3/99,,;:,http://[", "https://astro.example.com", False),
        ("", "https://astro.example.com", False),
    ],
)
def test_each_spelling_of_an_exception_is_understood_or_left_out(exceptions: str, host: str, expected: bool) -> None:  # noqa: FBT001
    assert expected is is_excepted(host, exceptions)


@pytest.mark.usefixtures("trusted")
def test_an_excepted_host_is_reached_without_the_proxy(
    opened: ExitStack, service: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NO_PROXY", "localhost,fd00::/8,127.0.0.0/8")

    assert read(opened, service.url) == "ci"


# Certificates


def test_the_directory_of_the_company_s_certificates_is_used(
    opened: ExitStack, service: RawServer, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    monkeypatch.setenv("SSL_CERT_DIR", str(trusted.parent))
    for name in _hashed_names(trusted):
        (trusted.parent / name).symlink_to(trusted)

    assert read(opened, service.url) == "ci"


UNTRUSTED = (
    "the certificate of 127.0.0.1 is not trusted (unable to get local issuer certificate). If your company's proxy opens "
    "encrypted traffic, set SSL_CERT_FILE to your company's CA file."
)


def test_a_certificate_that_is_not_trusted_is_told_at_once(opened: ExitStack, service: RawServer) -> None:
    assert failure(opened, service.url) == UNTRUSTED
    assert service.requests == []


def test_a_variable_that_is_not_read_is_told_beside_an_untrusted_certificate(
    opened: ExitStack, service: RawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/company.pem")

    assert failure(opened, service.url) == (
        "the certificate of 127.0.0.1 is not trusted (unable to get local issuer certificate). REQUESTS_CA_BUNDLE is set, "
        "which is not read here: set SSL_CERT_FILE to the same file."
    )


def test_a_file_without_the_right_ca_is_told(opened: ExitStack, service: RawServer, trusted: Path) -> None:
    trustme.CA().cert_pem.write_to_path(trusted)

    text = failure(opened, service.url)

    assert text.startswith("the certificate of 127.0.0.1 is not trusted (")
    assert text.endswith("). SSL_CERT_FILE is set: does it hold your company's CA?")


@pytest.mark.parametrize(
    "case",
    [
        ("SSL_CERT_FILE", "missing.pem", "file {path!r} in SSL_CERT_FILE cannot be used (No such file or directory)"),
        (
            "SSL_CERT_FILE",
            "empty.pem",
            "file {path!r} in SSL_CERT_FILE cannot be used (it holds no certificates (PEM))",
        ),
        ("SSL_CERT_DIR", "missing", "directory {path!r} in SSL_CERT_DIR cannot be used (No such file or directory)"),
        ("SSL_CERT_DIR", "empty.pem", "directory {path!r} in SSL_CERT_DIR cannot be used (Not a directory)"),
    ],
)
def test_certificates_that_cannot_be_read_are_told_with_their_variable(
    opened: ExitStack, service: RawServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: tuple[str, str, str]
) -> None:
    variable, name, why = case
    (tmp_path / "empty.pem").write_text("nothing")
    path = str(tmp_path / name)
    monkeypatch.setenv(variable, path)
    kind = why.split(maxsplit=1)[0]

    assert failure(opened, service.url) == (
        f"The {why.format(path=path)}: name a {kind} with your company's CA, or unset the variable."
    )
    assert service.requests == []


def test_a_call_to_this_machine_in_clear_needs_no_certificates(
    opened: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/no/such.pem")
    server = opened.enter_context(RawServer(lambda _: Reply(body={"id": "t", "name": "ci"})))

    assert read(opened, server.url) == "ci"


# Names


def test_a_name_that_nobody_knows_is_told_after_three_tries(opened: ExitStack) -> None:
    text = failure(opened, "https://astro.invalid")

    assert text.startswith("the name astro.invalid cannot be found ([Errno -")
    assert text.endswith(
        "Check the network and ASTRO_API_HOST (or astro:host); behind a company's proxy, set HTTPS_PROXY."
    )


def _hashed_names(certificate: Path) -> list[str]:
    """The names by which OpenSSL looks for a certificate in a directory."""
    ended = subprocess.run(
        ["openssl", "x509", "-hash", "-noout", "-in", str(certificate)], capture_output=True, text=True, check=True
    )
    return [f"{ended.stdout.strip()}.0"]
