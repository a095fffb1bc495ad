"""The built binary as its users have it: a process with a data folder, and clients that talk HTTP to it.

Finds the binary by BOS_BINARY_DIR. Only the standard library is used.
"""
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse
import uuid

START_SECONDS = 60
STOP_SECONDS = 30


def binary():
    folder = os.environ.get("BOS_BINARY_DIR")
    if not folder:
        sys.exit("BOS_BINARY_DIR names the folder of the build")
    return os.path.join(folder, "gateway", "bos")


def bos(*words, check=True, timeout=120):
    """Runs one word of the command line to its end."""
    words = list(words)
    if words[0] in ("views", "key") and "--data" in words:
        words += kafka_options(words[words.index("--data") + 1])
    done = subprocess.run([binary(), *map(str, words)], capture_output=True, text=True, timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f"bos {' '.join(map(str, words))} ended with {done.returncode}: {done.stderr}")
    return done


def kafka_options(data):
    """Where BOS_E2E_KAFKA names brokers, every server has its log there: under topics of its own, by its data folder."""
    brokers = os.environ.get("BOS_E2E_KAFKA")
    if not brokers:
        return []
    prefix = "t" + hashlib.sha256(str(data).encode()).hexdigest()[:12]
    return ["--kafka", brokers, "--kafka-replication", "1", "--kafka-prefix", prefix]


def make_key(data, tenant, role="admin", user="somebody", user_id=None, options=()):
    words = ["key", "create", "--data", data, "--tenant", tenant, "--user", user, "--role", role]
    if user_id:
        words += ["--user-id", user_id]
    return bos(*words, *options).stdout.strip()


def log_word(word, data, *options):
    """`bos log WORD` beside a server that may run."""
    done = bos("log", word, "--data", data, *options, check=False)
    if done.returncode != 0:
        raise AssertionError(f"bos log {word} ended with {done.returncode}: {done.stdout}{done.stderr}")
    return done.stdout


def records(data, first=1, tenant=None):
    """What `bos log dump` tells of the log, one object a record."""
    options = ["--from", first] + (["--tenant", tenant] if tenant else [])
    return [json.loads(line) for line in log_word("dump", data, *options).splitlines()]


def new_id():
    return str(uuid.uuid4())


class Folder:
    """A temporary folder with a data folder in it; what lies beside the data is not the server's."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="bos-e2e-")
        self.data = os.path.join(self.path, "data")

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


class Server:
    """`bos serve` on a free port. Its standard output and its log are kept in files beside the data."""

    def __init__(self, folder, *options, config=None):
        """`config` is a file of settings; folder, port and options win over it."""
        self.config = ["--config", config] if config else []
        self.folder = folder
        self.data = folder.data
        self.options = options
        self.process = None
        self.port = None

    def start(self):
        self._out_path = os.path.join(self.folder.path, "out")
        self._log_path = os.path.join(self.folder.path, "log")
        with open(self._out_path, "wb") as out, open(self._log_path, "ab") as log:
            self.process = subprocess.Popen(
                [binary(), *self.config, "serve", "--data", self.data, "--port", "0", *kafka_options(self.data), *self.options],
                stdin=subprocess.DEVNULL, stdout=out, stderr=log)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = re.search(r"^BOS serves .* on https?://127\.0\.0\.1:(\d+)$", self.output(), re.MULTILINE)
            if found:
                self.port = int(found.group(1))
                return self
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode}: {self.log()}")
            time.sleep(0.005)
        self.kill()
        raise AssertionError(f"the server did not start in {START_SECONDS} s: {self.log()}")

    def output(self):
        with open(self._out_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def log(self):
        with open(self._log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds=STOP_SECONDS):
        return self.process.wait(seconds)

    def stop(self):
        """Asks it to end and returns its exit code."""
        self.terminate()
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop in {STOP_SECONDS} s: {self.log()}") from None

    def kill(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def restart(self):
        assert self.stop() == 0, self.log()
        return self.start()

    def key(self, tenant, role="admin", user="somebody", user_id=None):
        where = [word for i, word in enumerate(self.options) if self.options[i - (i % 2)].startswith("--kafka")]
        return make_key(self.data, tenant, role, user, user_id, where)

    def client(self, key=None, tls=None):
        return Client(self.port, key, tls=tls)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def position(self):
        return int(self.headers["Position"])

    @property
    def code(self):
        """Of a problem."""
        return self.json.get("code")

    def __repr__(self):
        return f"{self.status} {self.body[:600].decode(errors='replace')}"


class Client:
    """One connection that is kept alive. Nothing is sent twice: what fails is told."""

    def __init__(self, port, key=None, timeout=60, tls=None):
        self.key = key
        if tls:
            self._connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=timeout, context=tls)
        else:
            self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def send(self, method, path, body=None, headers=None):
        """Sends a request; receive() takes the answer. `body` is an object for JSON, or bytes as they are."""
        headers = dict(headers or {})
        if self.key and "Authorization" not in headers:
            headers["Authorization"] = "Bearer " + self.key
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False).encode()
            headers.setdefault("Content-Type", "application/json")
        self._connection.request(method, path, body=body, headers=headers)

    def receive(self):
        response = self._connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def request(self, method, path, body=None, headers=None):
        try:
            self.send(method, path, body, headers)
            return self.receive()
        except (OSError, http.client.HTTPException):
            self.close()
            raise

    def get(self, path, headers=None, **query):
        if query:
            path += "?" + urllib.parse.urlencode({name: spell(value) for name, value in query.items()})
        return self.request("GET", path, headers=headers)

    def get_at(self, path, position):
        """As every client should that names a position: again, while the views of this node are not there yet."""
        def answered():
            answer = self.get(path, min_position=position)
            return None if answer.status == 503 else answer

        return wait_until(answered, 30, f"the views at {position}")

    def post(self, path, body=None, **headers):
        return self.request("POST", path, {} if body is None else body, named(headers))

    def patch(self, path, body, **headers):
        return self.request("PATCH", path, body, named(headers))

    def close(self):
        self._connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def spell(value):
    return {True: "true", False: "false"}.get(value, value) if isinstance(value, bool) else value


def named(headers):
    """idempotency_key= and the like, as header names."""
    return {name.replace("_", "-").title(): str(value) for name, value in headers.items()}


def wait_until(condition, seconds=10, what="a condition"):
    """Polls until `condition()` is true and returns what it gave."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


def in_parallel(count, work):
    """Runs work(0) … work(count - 1) at once and returns what they returned; the first failure is raised."""
    results = [None] * count
    failures = []
    together = threading.Barrier(count)

    def run(index):
        try:
            together.wait()
            results[index] = work(index)
        except BaseException as failure:  # noqa: B902 – shown by the thread that asked
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return results


def report(passed, failed, skipped):
    """The line by which ./bos counts test cases."""
    print(f"[doctest] test cases: {passed + failed + skipped} | {passed} passed | {failed} failed | {skipped} skipped",
          flush=True)


def main():
    """Runs the tests of the calling script."""
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    # Sub-tests fail in their test; what fails before the first test of a class counts as a case too.
    failed = len({test.id().split(" ")[0] for test, _ in result.failures + result.errors})
    skipped = len(result.skipped)
    report(max(result.testsRun - failed - skipped, 0), failed, skipped)
    sys.exit(0 if failed == 0 else 1)
