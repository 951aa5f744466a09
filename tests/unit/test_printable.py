"""Texts of engines and stores on terminals and in the log."""

import json
import logging
from datetime import datetime

import pytest

from swarmcore.commands.logs import JsonFormatter, PrintableFormatter
from swarmcore.errors import Conflict, EngineRefused
from swarmcore.http.server import answer_to
from swarmcore.printable import printable, printable_values

HOSTILE = "n1\x1b[2J\r\nfake\x9b1m\u202e"
SHOWN = r"n1\u001b[2J\r\nfake\u009b1m\u202e"


@pytest.mark.parametrize("text", ["", "web_1", "Größe 3 €", "日本語", "C:\\data", 'a "b"'])
def test_a_printable_text_stays(text):
    assert printable(text) == text


def test_everything_else_is_shown_as_its_escape_in_json():
    assert printable(HOSTILE) == SHOWN
    assert printable("\x00\x7f\u2028\ud800\U000e0001") == r"\u0000\u007f\u2028\ud800\udb40\udc01"
    assert printable("a\nb\x1b", keep="\n") == "a\nb\\u001b"


def test_an_escaped_document_of_json_is_the_same_document():
    value = {HOSTILE: [HOSTILE, 1, None]}
    text = json.dumps(value, indent=2, ensure_ascii=False)
    assert json.loads(printable(text, keep="\n")) == value


def test_keys_and_texts_at_any_depth_are_printable():
    assert printable_values({HOSTILE: [{"a": HOSTILE}, 1, None, True]}) == {
        SHOWN: [{"a": SHOWN}, 1, None, True]
    }


def test_a_message_is_one_line_of_the_log():
    record = logging.LogRecord("x", logging.INFO, "", 0, "lost %s", (HOSTILE,), None)
    assert PrintableFormatter("INFO %(message)s").format(record) == f"INFO lost {SHOWN}"


def test_a_moment_has_milliseconds_and_an_offset():
    record = logging.LogRecord("x", logging.INFO, "", 0, "lost", (), None)
    record.created = 1_800_000_000.25
    stamp = PrintableFormatter("%(asctime)s").format(record)
    moment = datetime.fromisoformat(stamp)
    assert moment.timestamp() == record.created
    assert moment.tzinfo is not None


def test_a_message_is_one_object_of_json():
    try:
        raise ValueError("first")
    except ValueError as error:
        raised = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "lost %s", (HOSTILE,), raised)
    line = JsonFormatter().format(record)
    assert line.isprintable()
    document = json.loads(line)
    assert document["message"] == f"lost {HOSTILE}"
    assert (document["level"], document["logger"]) == ("error", "x")
    assert document["traceback"].endswith("ValueError: first")


def test_the_lines_of_a_traceback_are_indented():
    try:
        raise ValueError("first\n2030-01-01 INFO faked\x1b")
    except ValueError as error:
        raised = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("x", logging.ERROR, "", 0, "failed", (), raised)
    head, *lines = PrintableFormatter("%(message)s").format(record).split("\n")
    assert head == "failed"
    assert all(line.startswith("    ") for line in lines)
    assert lines[-1] == r"    2030-01-01 INFO faked\u001b"


def test_an_engines_own_error_stays_and_ours_are_escaped():
    raw = json.loads(answer_to(EngineRefused("n1", 409, HOSTILE)).body)
    assert raw == {"message": HOSTILE}
    ours = json.loads(answer_to(Conflict(f"{HOSTILE}\nis taken")).body)["message"]
    assert ours == SHOWN.replace(r"\n", "\n") + "\nis taken"
