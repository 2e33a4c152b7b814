"""What `make run` reads from the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from promptstore.core.clock import STEPPED_CLOCK_VARIABLE
from promptstore.local.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class LocalConfig:
    """One run of the local instance. `None` in a URL means: start the embedded server."""

    home: Path
    bind: str = "127.0.0.1"
    port: int = 8000
    serve_port: int = 8001
    database_url: str | None = None
    database_owner_url: str | None = None
    broker_url: str | None = None
    model_url: str | None = None
    run_model: bool = True

    @property
    def console_url(self) -> str:
        """Where a browser on this machine finds the console."""
        return f"http://{self.reachable_host}:{self.port}"

    @property
    def serving_url(self) -> str:
        """Where a service on this machine finds the serving API."""
        return f"http://{self.reachable_host}:{self.serve_port}"

    @property
    def reachable_host(self) -> str:
        """An address that answers locally when `bind` is a wildcard."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.bind, self.bind)  # noqa: S104 - a comparison
        return f"[{host}]" if ":" in host else host


def read_config(environ: Mapping[str, str], *, root: Path) -> LocalConfig:
    """The configuration in `environ`; relative homes are taken from `root`, the checkout.

    Raises `ConfigError` that names the variable and what to write instead.
    """
    port, serve_port = _port(environ, "PORT", 8000), _port(environ, "SERVE_PORT", 8001)
    if port == serve_port:
        raise ConfigError("SERVE_PORT", f"is {serve_port}, which PORT uses already; choose another")
    database_url, owner_url = _secret(environ, "DATABASE_URL"), _secret(environ, "DATABASE_OWNER_URL")
    if database_url and not owner_url:
        raise ConfigError(
            "DATABASE_OWNER_URL",
            "must be set together with DATABASE_URL: migrations run as the owner of the database, the "
            "application as a role with fewer rights; `promptctl doctor --init-db` makes both roles",
        )
    if owner_url and not database_url:
        raise ConfigError("DATABASE_URL", "must be set together with DATABASE_OWNER_URL")
    if database_url and environ.get(STEPPED_CLOCK_VARIABLE):
        raise ConfigError(
            STEPPED_CLOCK_VARIABLE, "is for replays on a database of their own; unset it, or DATABASE_URL"
        )
    model_url, run_model = _secret(environ, "PROMPTSTORE_MODEL_URL"), _model_wanted(environ)
    return LocalConfig(
        home=_home(environ, root=root),
        bind=environ.get("PROMPTSTORE_BIND", "").strip() or "127.0.0.1",
        port=port,
        serve_port=serve_port,
        database_url=database_url,
        database_owner_url=owner_url,
        broker_url=_secret(environ, "BROKER_URL"),
        model_url=model_url if run_model else None,
        run_model=run_model and model_url is None,
    )


def _home(environ: Mapping[str, str], *, root: Path) -> Path:
    text = environ.get("PROMPTSTORE_HOME", "").strip() or ".promptstore"
    path = root / Path(text).expanduser()
    if path.exists() and not path.is_dir():
        raise ConfigError("PROMPTSTORE_HOME", f"{path} is a file; name a directory")
    return path.resolve()


def _port(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "").strip() or str(default)
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise ConfigError(name, f"{text!r} is not a port; write a number from 1 to 65535")
    return int(text)


def _secret(environ: Mapping[str, str], name: str) -> str | None:
    """NAME, or the content of the file that NAME_FILE points at, as the settings read it."""
    path = environ.get(f"{name}_FILE", "").strip()
    if not path:
        return environ.get(name, "").strip() or None
    try:
        return Path(path).read_text(encoding="utf-8").strip() or None
    except OSError as error:
        raise ConfigError(f"{name}_FILE", f"cannot read {path}: {error.strerror}") from error


def _model_wanted(environ: Mapping[str, str]) -> bool:
    text = environ.get("PROMPTSTORE_MODEL", "").strip().lower() or "on"
    if text not in {"on", "off"}:
        raise ConfigError("PROMPTSTORE_MODEL", f"{text!r} is unknown; write on or off")
    return text == "on"
