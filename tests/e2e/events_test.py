"""What analysts get: events on a real Kafka, read by the example consumer with exported schemas. Run by events_test.sh."""
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import unittest

from bos_process import Folder, Server, bos, main, records, wait_until
from kafka_broker import Broker

CONSUMER = os.path.join(os.environ["BOS_SOURCE_DIR"], "examples", "consumers", "python", "consume.py")

broker = None


def setUpModule():
    global broker
    broker = Broker().__enter__()
    unittest.addModuleCleanup(broker.__exit__)


class Line:
    """What the consumer prints of an event."""

    def __init__(self, text):
        self.id, self.time, self.type, self.subject, fields = text.split(" ", 4)
        self.fields = json.loads(fields)


class Events(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)
        self.prefix = self.id().split(".")[-1]
        self.schemas = os.path.join(self.folder.path, "schemas")

    def server(self, *options):
        server = Server(self.folder, "--kafka", broker.address, "--kafka-replication", "1", "--kafka-prefix", self.prefix,
                        *options).start()
        self.addCleanup(server.kill)
        return server

    def consume(self, tenant):
        """The events that are in the topic now, as the example tells them."""
        bos("schema", "export", self.schemas)
        done = subprocess.run([sys.executable, CONSUMER, "--brokers", broker.address, "--topic",
                               f"{self.prefix}.events.{tenant}", "--schemas", self.schemas, "--until-end"],
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [Line(line) for line in done.stdout.splitlines()]

    def wait_until_published(self, server):
        def published():
            with server.client() as client:
                metrics = client.get("/metrics").body.decode()
            figures = dict(re.findall(r"^(bos_events_\w+) (\S+)$", metrics, re.MULTILINE))
            return figures["bos_events_tenants"] != "0" and figures["bos_events_commits_behind"] == "0" \
                and figures["bos_events_tenants_paused"] == "0" and float(figures["bos_events_published_total"]) > 0

        wait_until(published, 30, "all events to be published")

    def ids_of_log(self, tenant):
        return [f"{tenant}/{record['position']}/{index}" for record in records(self.folder.data, tenant=tenant)
                for index in range(len(record["events"]))]

    def test_the_example_consumer_tells_every_event_of_the_log(self):
        server = self.server()
        key = server.key("acme")
        with server.client(key) as client:
            lead = client.post("/v1/leads", {"given_name": "Ada", "company_name": "Analytical Engines"}).json["id"]
            client.post(f"/v1/leads/{lead}/log-activity", {"kind": "call", "direction": "outbound", "subject": "secret"})
            client.post(f"/v1/leads/{lead}/qualify", {})
        self.wait_until_published(server)
        told = self.consume("acme")
        self.assertEqual([line.id for line in told], self.ids_of_log("acme"))
        captured = next(line for line in told if line.type == "leads.lead-captured.v1")
        self.assertEqual(captured.subject, f"lead/{lead}")
        self.assertEqual(captured.fields["Lead"], lead)
        self.assertEqual(captured.fields["Profile"]["CompanyName"], "Analytical Engines")
        self.assertNotIn("Ada", json.dumps(captured.fields))  # sealed
        self.assertIn("leads.lead-qualified.v1", [line.type for line in told])

    def test_a_server_that_is_killed_leaves_no_gap(self):
        server = self.server()
        key = server.key("acme")
        for _ in range(3):
            answered = []

            def write():
                with server.client(key) as client:
                    try:
                        while True:
                            answered.append(client.post("/v1/leads", {}))
                    except (OSError, http.client.HTTPException):
                        pass  # killed

            writer = threading.Thread(target=write)
            writer.start()
            wait_until(lambda: len(answered) > 100, 30, "commands")
            server.kill()
            writer.join()
            server.start()
        with server.client(key) as client:
            client.post("/v1/leads", {})
        self.wait_until_published(server)
        self.assertEqual([line.id for line in self.consume("acme")], self.ids_of_log("acme"))

    def test_what_was_committed_while_nothing_was_published_is_published_later(self):
        server = self.server("--no-events")
        key = server.key("acme")
        with server.client(key) as client:
            for _ in range(5):
                client.post("/v1/leads", {})
        self.assertEqual(server.stop(), 0)
        server = self.server()
        self.wait_until_published(server)
        self.assertEqual([line.id for line in self.consume("acme")], self.ids_of_log("acme"))


if __name__ == "__main__":
    main()
