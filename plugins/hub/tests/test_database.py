"""The hub's file: damaged rows, and a disk that is full."""

from contextlib import closing

import pytest
from swarmcore_hub.database import Database, NotStored, created, registered, removed
from swarmcore_hub.registry import FOREVER, Row

from swarmcore.errors import ConfigError

GOOD = Row("t", "n1:1", "zone=a", FOREVER, 0.0)


@pytest.fixture
async def database(tmp_path, nursery):
    database = Database(tmp_path)
    with closing(database):
        await nursery.start(database.run)
        await database.save(created("t", 1.0), registered(GOOD))
        yield database


def fill(database):
    """Let the file not grow any more, as on a full disk, until ``free``."""
    database._database.execute("PRAGMA max_page_count = 1")


def free(database):
    database._database.execute("PRAGMA max_page_count = 1000000")


async def test_a_change_that_does_not_fit_on_the_disk_is_refused_and_later_ones_are_stored(
    database, caplog
):
    fill(database)
    rows = [Row("t", f"n{number}:1", "a=" + "x" * 400) for number in range(2, 60)]
    for _ in range(2):
        with pytest.raises(NotStored, match="database or disk is full; nothing has changed"):
            await database.save(*map(registered, rows))
    assert caplog.text.count("cannot write") == 1
    assert database.load(0) == ({"t": 1.0}, [GOOD])
    free(database)
    await database.save(*map(registered, rows), removed("t", "n1:1"))
    assert {row.address for row in database.load(0)[1]} == {row.address for row in rows}


@pytest.mark.parametrize(
    "values",
    [
        ("'t'", "'n2:1'", "''", "'soon'", "0.0"),
        ("'t'", "'n2:1'", "''", "1e999", "x'00'"),
        ("'t'", "'http://n2:1'", "''", "1e999", "0.0"),
        ("'t'", "'n2:1'", "'zone'", "1e999", "0.0"),
        ("'t'", "'n2:1 x=y'", "''", "1e999", "0.0"),
        ("'t'", "x'ff'", "''", "1e999", "0.0"),
        ("'t'", "CAST(x'ff' AS TEXT)", "''", "1e999", "0.0"),
        ("'t'", "'n2:1'", "CAST(x'7aff3d61' AS TEXT)", "'x'", "0.0"),
        ("'other'", "'n2:1'", "''", "1e999", "0.0"),
    ],
)
async def test_a_damaged_engine_is_left_out_and_logged(database, caplog, values):
    database._database.execute(f"INSERT INTO nodes VALUES ({', '.join(values)})")
    assert database.load(0) == ({"t": 1.0}, [GOOD])
    assert ("leaving out a damaged engine" in caplog.text) == (values[0] == "'t'")


async def test_a_damaged_cluster_is_left_out_with_its_engines(database, caplog):
    database._database.execute("UPDATE clusters SET used = 'now'")
    database._database.execute("INSERT INTO clusters VALUES ('u', 2.0)")
    assert database.load(0) == ({"u": 2.0}, [])
    assert "leaving out a damaged cluster" in caplog.text


def test_a_damaged_file_is_one_line_that_says_what_to_do(tmp_path):
    with closing(Database(tmp_path)) as database:
        for number in range(5000):
            database._database.execute(*created(f"{number:032}", 1.0))
        database._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = tmp_path / "hub.sqlite"
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 : page * 4096 + 100] = b"\xff" * 100
    path.write_bytes(content)
    with (
        closing(Database(tmp_path)) as database,
        pytest.raises(ConfigError, match=r"malformed; restore the file from a backup"),
    ):
        database.load(0)
