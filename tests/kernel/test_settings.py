"""Settings: known, typed, and in their order of precedence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quintet.settings import BadSetting, Limit, Settings, load_settings


def load(dotenv: Path | None = None, **environment: str) -> Settings:
    return load_settings(environment, dotenv)


def refused(**environment: str) -> str:
    with pytest.raises(BadSetting) as caught:
        load(**environment)
    return str(caught.value)


def test_defaults() -> None:
    settings = load()
    assert settings == Settings()
    assert (settings.env, settings.host, settings.port) == ("development", "127.0.0.1", 8000)
    assert settings.issuer == "http://127.0.0.1:8000"
    told = {
        "anonymous": (100, 60),
        "signed_in": (1200, 60),
        "auth": (10, 60),
        "refresh": (30, 60),
        "place": (60, 60),
    }
    for policy, (count, seconds) in told.items():
        assert settings.limit(policy) == Limit(count, seconds, count)


def test_an_unknown_name_is_named() -> None:
    for name in ("QUINTET_PROT", "QUINTET_", "QUINTET_LIMIT_NOBODY", "QUINTET_port2"):
        assert name in refused(**{name: "1"})
    assert load(PROT="1", QUINTETPORT="1", quintet_port="1") == Settings()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", ""), ("PORT", "eighty"), ("PORT", "80.5"), ("PORT", "65536"), ("PORT", "-1"),
        ("ENV", "staging"), ("ENV", "Production"), ("ENV", ""),
        ("LOG_LEVEL", "loud"),
        ("LIMIT_ANONYMOUS", "100"), ("LIMIT_ANONYMOUS", "100/fortnight"), ("LIMIT_ANONYMOUS", "0/minute"),
        ("LIMIT_ANONYMOUS", "-5/minute"), ("LIMIT_ANONYMOUS", "1.5/minute"), ("LIMIT_ANONYMOUS", ""),
        ("LIMIT_PLACE", "50/second burst 0"), ("LIMIT_PLACE", "50/second burst"), ("LIMIT_PLACE",
        "9" * 13 + "/day"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, proxy.example"), ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("OIDC_ISSUER", "https://issuer.example"), ("OIDC_JWKS_URL", "https://issuer.example/jwks"),
    ],
)  # fmt: skip
def test_a_value_that_does_not_parse_is_named(name: str, text: str) -> None:
    assert f"QUINTET_{name}" in refused(**{f"QUINTET_{name}": text})


def test_a_secret_is_not_told_by_the_refusal_of_another_setting() -> None:
    assert "whispered" not in refused(QUINTET_METRICS_TOKEN="whispered", QUINTET_PORT="x")


def test_limits() -> None:
    assert load(QUINTET_LIMIT_AUTH="50/second burst 100").limit("auth") == Limit(50, 1, 100)
    assert load(QUINTET_LIMIT_AUTH=" 7/day ").limit("auth") == Limit(7, 86400, 7)


@given(st.text(max_size=30))
def test_a_limit_parses_or_is_refused(text: str) -> None:
    try:
        limit = Limit.parse(text)
    except ValueError:
        return
    assert limit.count >= 1
    assert limit.burst >= 1
    assert limit.seconds >= 1


def test_lists() -> None:
    origins = load(QUINTET_ALLOWED_ORIGINS=" https://a.example ,https://b.example,, ").allowed_origins
    assert origins == ("https://a.example", "https://b.example")
    assert load(QUINTET_ALLOWED_ORIGINS="").allowed_origins == ()


def test_what_counts_more(tmp_path: Path) -> None:
    """The command line, else the environment, else .env, else the default."""
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "QUINTET_PORT=1001\nQUINTET_LOG_LEVEL=debug # loud\nOTHER=1\nQUINTET_METRICS_TOKEN='a b'\n"
    )
    settings = load(dotenv)
    assert (settings.port, settings.log_level, settings.metrics_token) == (1001, "debug", "a b")
    assert load(dotenv, QUINTET_PORT="1002").port == 1002
    assert load_settings({"QUINTET_PORT": "1002"}, dotenv, port=1003).port == 1003
    assert load_settings({"QUINTET_PORT": "1002"}, dotenv, port=None).port == 1002
    assert load(tmp_path / "missing").port == 8000


def test_a_typo_in_dotenv_is_named_too(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("QUINTET_PROT=1001\n")
    with pytest.raises(BadSetting, match="QUINTET_PROT"):
        load(dotenv)


def test_the_process_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUINTET_PORT", "1234")
    monkeypatch.delenv("QUINTET_TEST_DSN", raising=False)  # the tests' own, which is no setting
    assert load_settings(dotenv=None).port == 1234


def test_production_needs_its_public_url() -> None:
    assert "QUINTET_PUBLIC_URL" in refused(QUINTET_ENV="production")
    assert "QUINTET_PUBLIC_URL" in refused(QUINTET_ENV="production", QUINTET_PUBLIC_URL="quintet.example")
    settings = load(QUINTET_ENV="production", QUINTET_PUBLIC_URL="https://quintet.example/")
    assert settings.issuer == "https://quintet.example"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "quintet.example"])  # noqa: S104
def test_a_host_others_reach_is_production(host: str) -> None:
    assert "QUINTET_PUBLIC_URL" in refused(QUINTET_HOST=host)
    assert load(QUINTET_HOST=host, QUINTET_PUBLIC_URL="https://q.example").env == "production"
    assert load(QUINTET_HOST=host, QUINTET_ENV="development").env == "development"  # said, so meant


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_alone_is_development(host: str) -> None:
    assert load(QUINTET_HOST=host).env == "development"


def test_a_password_of_the_database_is_not_in_the_issuer_nor_in_errors() -> None:
    settings = load(QUINTET_DATABASE_URL="postgresql://u:whispered@db/q")
    assert "whispered" not in settings.issuer
