"""Replay recorded requests byte for byte, and check the answers."""

import gzip
import http.client
import json
import socket
from pathlib import Path

_VECTORS = Path(__file__).parent / "vectors"
_ANSWER_SECONDS = 30


def replay(name, port, **names):
    """Send the requests of a file in ``vectors`` in their order, and check every answer.

    Names in braces in the file are replaced by *names*; return them, with names from answers.
    """
    names["host"] = f"127.0.0.1:{port}"
    for step in json.loads((_VECTORS / f"{name}.json").read_text()):
        lines = [_fill(line, names) for line in step["request"]]
        sent = "\r\n".join([*lines, "", _fill(step.get("body", ""), names)])
        status, headers, body = _exchange(port, lines[0].split()[0], sent.encode())
        assert status == step["status"], (step["command"], status, body)
        for key, value in step.get("headers", {}).items():
            assert headers[key] == value, step["command"]
        if "answer" in step:
            told = json.loads(body)
            wanted = _fill(step["answer"], names)
            assert _has(told, wanted), (step["command"], told, wanted)
        for kept, place in step.get("keep", {}).items():
            names[kept] = _part(body, place)
    return names


def _exchange(port, method, data):
    with socket.create_connection(("127.0.0.1", port), _ANSWER_SECONDS) as connection:
        connection.sendall(data.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
        answer = http.client.HTTPResponse(connection, method=method)
        answer.begin()
        with answer:
            body = answer.read()
    if answer.headers["Content-Encoding"] == "gzip":
        body = gzip.decompress(body)
    return answer.status, answer.headers, body


def _fill(wanted, names):
    """Return *wanted* with the names in its texts replaced."""
    match wanted:
        case str():
            for name, value in names.items():
                wanted = wanted.replace("{" + name + "}", value)
            return wanted
        case list():
            return [_fill(each, names) for each in wanted]
        case dict():
            return {key: _fill(value, names) for key, value in wanted.items()}
    return wanted


def _has(told, wanted):
    """Return whether *told* equals *wanted*; objects may have more keys."""
    match wanted:
        case "*":
            return True
        case list():
            return len(told) == len(wanted) and all(map(_has, told, wanted))
        case dict():
            return all(key in told and _has(told[key], value) for key, value in wanted.items())
    return told == wanted


def _part(body, place):
    """Return the text at *place*, such as ``1.Session``; an empty place is the whole value."""
    if not place:
        return body.decode()
    value = json.loads(body)
    for step in place.split("."):
        value = value[int(step)] if step.isdigit() else value[step]
    return value
