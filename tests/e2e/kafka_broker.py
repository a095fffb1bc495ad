"""A real Kafka for as long as a test needs it: tests/kafka/broker."""
import os
import subprocess

from bos_process import Folder

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kafka", "broker")


class Broker:
    """One broker or three; with the settings of a file of properties, or with small ones for tests."""

    def __init__(self, nodes=1, properties=None):
        self._options = ["--nodes", str(nodes)] + (["--properties", properties] if properties else [])

    def __enter__(self):
        self._folder = Folder()
        self._path = os.path.join(self._folder.path, "kafka")
        self._process = subprocess.Popen([SCRIPT, "run", self._path, *self._options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        word, _, self.address = self._process.stdout.readline().strip().partition(" ")
        if word != "bootstrap":
            self.__exit__()
            raise AssertionError("the broker did not start")
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
