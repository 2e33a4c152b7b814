"""Connections to Postgres from the node's background tasks. No request waits for one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

Connection = psycopg.AsyncConnection[tuple[Any, ...]]


async def connect(url: str) -> Connection:
    """An autocommit connection that notices a dead peer within about ten seconds."""
    return await psycopg.AsyncConnection.connect(
        url,
        autocommit=True,
        connect_timeout=5,
        application_name="promptstore-serving",
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=3,
        tcp_user_timeout=10_000,
    )


async def rows(
    connection: Connection, query: str, parameters: Sequence[object] | None = None
) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    cursor = await connection.execute(query.encode(), parameters)
    return await cursor.fetchall()
