"""Documents are kept compressed, and read as they were sent."""

import json
import random
import zlib

import pytest

from swarmcore.engine.cache import kept_documents
from swarmcore.engine.cache.kept_documents import DocumentKeeper, is_kept, keeper_of
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


def test_engines_of_one_release_share_the_dictionary_of_a_kind():
    web = keeper_of("detail", "28.5.1").keep(WEB)
    assert keeper_of("detail", "28.5.1").keep(DB)._dictionary is web._dictionary
    assert keeper_of("detail", "26.1.5").keep(DB)._dictionary != web._dictionary


def test_the_dictionary_is_read_once(monkeypatch):
    made = []
    original = zlib.compressobj
    monkeypatch.setattr(zlib, "compressobj", lambda *options: made.append(1) or original(*options))
    keeper = DocumentKeeper()
    for document in (WEB, DB, WEB):
        keeper.keep(document)
    assert len(made) == 1


@pytest.mark.parametrize("length", [100, 1_000, 5_000, 12_000, 30_000])
def test_a_document_of_any_length_reaches_the_dictionary(length):
    document = random.Random(length).randbytes(length // 2).hex().encode()
    keeper = DocumentKeeper()
    keeper.keep(document)
    packed = len(keeper.keep(document)._packed)
    assert packed < 30 + length / 15 + max(0, length - 16 * 1024)
