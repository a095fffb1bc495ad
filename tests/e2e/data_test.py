"""Requests and JSON texts of other projects' test suites, sent to the built binary.

What each of them means is judged by tests/gateway/http_data_test.cc and json_data_test.cc, in process; here it is seen
that the whole server keeps to it: what is refused elsewhere is refused and the connection closed, nothing is a 5xx.
"""
import base64
import json
import os
import socket
import unittest

import api_case
from api_case import ApiCase
from bos_process import main

DATA = os.path.join(os.environ.get("BOS_SOURCE_DIR", "."), "..", "shared", "data")
# Refused elsewhere and read here, with reasons: `milder` in http_data_test.cc.
MILDER = {"0014", "0089", "0095", "0096", "0136"}
LIMITS_OF_OTHERS = {"0004", "0006", "0007", "0008"}


def setUpModule():
    api_case.start_server()


def tearDownModule():
    api_case.stop_server()


def talk(raw):
    """Sends bytes, ends the sending side, and returns all that comes until the server closes."""
    with socket.create_connection(("127.0.0.1", api_case.server.port), 10) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while part := connection.recv(65536):
            received += part
        return received


@unittest.skipUnless(os.path.isdir(DATA), "the data of other projects is not here")
class OthersData(ApiCase):
    def test_requests(self):
        refused = 0
        with open(os.path.join(DATA, "http", "http1_requests.jsonl"), encoding="utf-8") as file:
            cases = [json.loads(line) for line in file]
        for case in cases:
            with self.subTest(case["id"], source=case["source"]):
                received = talk(base64.b64decode(case["raw_b64"]))
                statuses = [int(line.split()[1]) for line in received.split(b"\r\n") if line.startswith(b"HTTP/1.1 ")]
                for status in statuses:
                    self.assertTrue(status < 500 or status == 501, received[:300])
                judged = case["expect"] == "reject" and "parser_settings" not in case
                if judged and case["id"] not in MILDER | LIMITS_OF_OTHERS:
                    refused += 1
                    self.assertTrue(statuses and (statuses[-1] // 100 == 4 or statuses[-1] == 501), received[:300])
                    self.assertIn(b"connection: close", received.lower())
        self.assertGreater(refused, 100)
        self.assertEqual(self.admin.get("/livez").status, 200)

    def test_json_texts(self):
        folder = os.path.join(DATA, "json", "cases")
        told = {"y": 0, "n": 0}
        for name in sorted(os.listdir(folder)):
            with open(os.path.join(folder, name), "rb") as file:
                body = file.read()
            with self.subTest(name):
                answer = self.admin.request("POST", "/v1/leads?dry_run=true", body, {"Content-Type": "application/json"})
                told[name[0]] = told.get(name[0], 0) + 1
                self.assertLess(answer.status, 500, answer)
                if name.startswith("n_"):
                    self.assertIn(answer.status, (400, 413), answer)
                elif name.startswith("y_"):
                    # A text that reads, though no lead: the fields are what is wrong with it.
                    expected = ("invalid_json",) if "duplicated_key" in name else ("invalid_fields", None)
                    self.assertIn(answer.code if answer.status != 200 else None, expected, answer)
        self.assertGreater(min(told.values()), 20)


if __name__ == "__main__":
    main()
