"""A real Kafka for as long as a test needs it: tests/kafka/broker."""
import os
import pathlib
import re
import struct
import subprocess

from bos_process import Folder

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kafka", "broker")
BATCH_HEAD = struct.Struct(">qiibihiqqqhii")  # format 2: the second is what follows it in bytes, the last the records


def records_of_batches(log):
    """How many each batch of a segment has."""
    at = 0
    while at + BATCH_HEAD.size <= len(log):
        _, size, *_, count = BATCH_HEAD.unpack_from(log, at)
        yield count
        at += struct.calcsize(">qi") + size


class Broker:
    """One broker or three; with the settings of a file of properties, or with small ones for tests.

    A secured one lets in by TLS and SASL alone, whoever has what is in `client_properties`."""

    def __init__(self, nodes=1, properties=None, secured=False):
        self._options = ["--nodes", str(nodes)] + (["--properties", properties] if properties else [])
        self._options += ["--secured"] if secured else []

    def __enter__(self):
        self._folder = Folder()
        self._path = os.path.join(self._folder.path, "kafka")
        self._process = subprocess.Popen([SCRIPT, "run", self._path, *self._options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        word, _, self.address = self._process.stdout.readline().strip().partition(" ")
        if word != "bootstrap":
            self.__exit__()
            raise AssertionError("the broker did not start")
        self.client_properties = os.path.join(self._path, "tls", "client.properties")
        return self

    def __exit__(self, *_):
        self._process.stdin.close()  # ends it
        self._process.wait()
        self._process.stdout.close()
        self._folder.remove()

    def pause(self):
        """Holds it still: its connections stay, nothing answers."""
        subprocess.run([SCRIPT, "pause", self._path, "1"], check=True)

    def resume(self):
        subprocess.run([SCRIPT, "resume", self._path, "1"], check=True)

    def kill(self, node):
        subprocess.run([SCRIPT, "kill", self._path, str(node)], check=True)

    def configs(self, node):
        """Every setting that a broker has, by Kafka's own account."""
        told = subprocess.run([SCRIPT, "configs", self._path, str(node)], check=True, capture_output=True, text=True)
        return dict(line.split("=", 1) for line in told.stdout.splitlines())

    def plain_address(self):
        """Where a secured one speaks plain text with other brokers."""
        settings = pathlib.Path(self._path, "node-1", "server.properties").read_text()
        return re.search(r"^advertised.listeners=.*PLAINTEXT://([\d.:]+)", settings, re.MULTILINE).group(1)

    def records(self):
        """How many records each topic has, by the files of the first broker."""
        counts = {}
        for log in pathlib.Path(self._path, "node-1", "data").glob("*/*.log"):
            topic = log.parent.name.rpartition("-")[0]
            counts[topic] = counts.get(topic, 0) + sum(records_of_batches(log.read_bytes()))
        return counts
