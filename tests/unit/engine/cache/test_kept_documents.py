"""Documents are kept compressed, and read as they were sent."""

import json

import pytest

from swarmcore.engine.cache import kept_documents
from swarmcore.engine.cache.kept_documents import DocumentKeeper, is_kept
from swarmcore.testing.builders import a_container

WEB, DB = (json.dumps(a_container(name).detail).encode() for name in ("web", "db"))


def test_a_document_is_read_as_it_was_sent():
    keeper = DocumentKeeper()
    web, db = keeper.keep(WEB), keeper.keep(DB)
    assert (web.encoded, db.encoded) == (WEB, DB)
    assert db == json.loads(DB)
    assert {**db, "Name": "/x"} == {**json.loads(DB), "Name": "/x"}
    assert db.get("NoSuchField") is None
    assert len(db) == len(json.loads(DB))


def test_fields_that_the_manager_does_not_know_survive():
    kept = DocumentKeeper().keep(b'{"Id":"a","New":{"Deep":[1,null,"\xc3\xa9"]}}')
    assert kept["New"] == {"Deep": [1, None, "é"]}


def test_a_document_like_the_first_one_takes_a_twentieth():
    keeper = DocumentKeeper()
    keeper.keep(WEB)
    assert len(keeper.keep(DB)._packed) < len(DB) / 15


@pytest.mark.parametrize("first", [b"{}", b'{"Id":"' + b"x" * 100_000 + b'"}'])
def test_any_first_document_serves_as_the_dictionary(first):
    keeper = DocumentKeeper()
    assert keeper.keep(first).encoded == first
    assert keeper.keep(WEB).encoded == WEB


def test_several_reads_of_a_document_decode_it_once(monkeypatch):
    kept, decoded = DocumentKeeper().keep(WEB), []
    read = kept_documents.read_json
    monkeypatch.setattr(kept_documents, "read_json", lambda body: decoded.append(1) or read(body))
    assert kept["Name"] == "/web"
    assert kept["Platform"] == "linux"
    assert len(decoded) == 1


def test_only_a_kept_document_with_the_same_bytes_is_the_kept_one():
    kept = DocumentKeeper().keep(WEB)
    assert is_kept(kept, WEB)
    assert not is_kept(kept, DB)
    assert not is_kept(json.loads(WEB), WEB)
