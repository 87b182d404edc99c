"""What every process asks each second must not grow with the years: SQLite answers it from the small index."""

import pytest
from sqlalchemy import Connection, event

from sessions import Store
from tests.sessions.shop import Chat, claim


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_looking_for_work_reads_only_open_turns(store: Store, chat: Chat) -> None:
    asked: list[tuple[str, object]] = []

    def listen(connection: Connection, cursor: object, statement: str, parameters: object, *_: object) -> None:
        if statement.startswith("SELECT") and "FROM turn" in statement:
            asked.append((statement, parameters))

    event.listen(store._engine.sync_engine, "before_cursor_execute", listen)
    assert await claim(store) is None
    async with store.begin() as repo:
        await repo.turns.renew_all("web-1", 30)
    event.remove(store._engine.sync_engine, "before_cursor_execute", listen)
    assert len(asked) == 3
    async with store._engine.connect() as connection:
        for statement, parameters in asked:
            plan = (await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)).all()
            assert any("ix_turn_open" in row.detail for row in plan), plan
