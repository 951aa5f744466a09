"""Context stores as the docker command writes them."""

import hashlib
import json

import pytest


@pytest.fixture
def make_context(tmp_path):
    """Write a context into the test's folder, with a file for each of *tls*."""

    def make(name, host, *tls, **endpoint):
        id = hashlib.sha256(name.encode()).hexdigest()
        meta = tmp_path / "contexts" / "meta" / id
        meta.mkdir(parents=True)
        document = {
            "Name": name,
            "Metadata": {},
            "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False, **endpoint}},
        }
        # Renamed into place, as the docker command does.
        (meta / "new").write_text(json.dumps(document))
        (meta / "new").rename(meta / "meta.json")
        files = tmp_path / "contexts" / "tls" / id / "docker"
        for file in tls:
            files.mkdir(parents=True, exist_ok=True)
            (files / file).write_text("")
        return meta / "meta.json", files

    return make
