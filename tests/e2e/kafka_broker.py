"""A real Kafka for as long as a test needs it: tests/kafka/broker."""
import os
import subprocess

from bos_process import Folder

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kafka", "broker")


class Broker:
    def __enter__(self):
        self._folder = Folder()
        self._path = os.path.join(self._folder.path, "kafka")
        self._process = subprocess.Popen([SCRIPT, "run", self._path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
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
