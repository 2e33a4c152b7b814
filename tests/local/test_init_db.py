from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from promptstore.local.embedded import embedded_postgres
from promptstore.local.errors import ConfigError
from promptstore.local.init_db import init_db

OWNER = "postgresql://an_owner:one@/shop"


@pytest.mark.real
def test_roles_and_database_are_what_the_urls_name(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path, durable=False) as urls:
        owner_url = make_conninfo(urls.owner_url, user="an_owner", password="o'ne", dbname="shop")
        application_url = make_conninfo(urls.owner_url, user="an_app", password="two words", dbname="shop")
        init_db(superuser_url=urls.superuser_url, owner_url=owner_url, application_url=application_url)
        with psycopg.connect(application_url) as application:
            assert application.execute("SELECT current_user, current_database()").fetchone() == (
                "an_app",
                "shop",
            )


@pytest.mark.parametrize(
    ("owner_url", "application_url", "variable"),
    [
        ("", "postgresql://app:two@/shop", "DATABASE_OWNER_URL"),
        (OWNER, "postgresql://app@/shop", "DATABASE_URL"),
        (OWNER, "postgresql://app:two@/other", "DATABASE_URL"),
        (OWNER, "postgresql://an_owner:one@/shop", "DATABASE_URL"),
        (OWNER, "http://app:two@/shop", "DATABASE_URL"),
    ],
)
def test_urls_that_do_not_fit_are_refused_by_name(
    owner_url: str, application_url: str, variable: str
) -> None:
    with pytest.raises(ConfigError, match=f"^{variable}: "):
        init_db(superuser_url="", owner_url=owner_url, application_url=application_url)
