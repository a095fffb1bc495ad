#!/usr/bin/env python3
"""More than the server can take, and clients that hold what they never use.

BOS_LOAD_SECONDS sets how long commands come faster than they can be taken (120 for the long run, which also waits until
the server has ended those who do not read), BOS_LOAD_IDLE how many connections stand idle beside the work (10000; the
hard limit of open files must allow twice as many).
"""
import asyncio
import json
import os
import resource
import socket
import sys
import threading
import time
import unittest

from bos_process import Folder, Server, main, new_id, records

SECONDS = float(os.environ.get("BOS_LOAD_SECONDS", "6"))
LONG = SECONDS >= 60
IDLE = int(os.environ.get("BOS_LOAD_IDLE", "1000"))
CONNECTIONS = 200
PIPELINED = 8
COMMANDS_MAX = 16
# What a client of the test waits for one answer. The server's own limits are shorter.
PATIENCE = 30
# Memtables and caches of the three databases, which fill whatever the load, and room.
MEMORY_BYTES = 768 << 20
MEMORY_OF_A_CONNECTION_BYTES = 64 << 10


def allow_files(count):
    """For this process and the server that it starts. Returns how many there may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def memory_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) << 10
    raise AssertionError("no VmRSS")


def request_bytes(method, path, key, body=None, idempotency_key=None):
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}"]
    payload = b""
    if body is not None:
        payload = json.dumps(body).encode()
        lines += ["Content-Type: application/json", f"Content-Length: {len(payload)}"]
    if idempotency_key:
        lines.append(f"Idempotency-Key: {idempotency_key}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + payload


class MemoryWatch:
    """The most memory that a process had while this stood beside it."""

    def __init__(self, pid):
        self.pid = pid
        self.most = memory_of(pid)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self):
        while not self._ending.wait(0.1):
            try:
                self.most = max(self.most, memory_of(self.pid))
            except (FileNotFoundError, ProcessLookupError):
                return  # its end is for the test to notice

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ending.set()
        self._thread.join()


class Flood:
    """Clients that send commands without waiting for answers, each PIPELINED at a time."""

    def __init__(self, port, key):
        self.port = port
        self.key = key
        self.until = time.monotonic() + SECONDS
        self.done = {}      # idempotency key -> position
        self.refused = set()
        self.slowest = 0.0
        self.wrong = []

    def run(self):
        asyncio.run(self._all())
        return self

    async def _all(self):
        await asyncio.gather(*(self._client(number) for number in range(CONNECTIONS)))

    async def _client(self, number):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        turn = 0
        while time.monotonic() < self.until and not self.wrong:
            turn += 1
            keys = [f"flood-{number}-{turn}-{i}" for i in range(PIPELINED)]
            sent = time.monotonic()
            for key in keys:
                writer.write(request_bytes("POST", "/v1/leads", self.key, {"given_name": key}, key))
            for key in keys:
                try:
                    status, headers, body = await asyncio.wait_for(self._answer(reader), PATIENCE)
                except (OSError, EOFError, asyncio.TimeoutError) as failure:
                    self.wrong.append(f"{key}: {failure!r}")
                    return
                self._note(key, status, headers, body, time.monotonic() - sent)
        writer.close()

    @staticmethod
    async def _answer(reader):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        return int(head[0].split()[1]), headers, body

    def _note(self, key, status, headers, body, seconds):
        if status == 201:
            self.done[key] = json.loads(body)["position"]
            self.slowest = max(self.slowest, seconds)
        elif status == 503 and int(headers.get("retry-after", "0")) > 0:
            self.refused.add(key)
        else:
            self.wrong.append(f"{key}: {status} {headers} {body[:300]}")


class Overload(unittest.TestCase):
    def test_what_is_too_much_is_refused_and_the_rest_is_done(self):
        allow_files(4 * CONNECTIONS)
        with Folder() as folder:
            server = Server(folder, "--commands-max", str(COMMANDS_MAX), "--connections-per-peer-max", "1000")
            key = server.key("acme")
            with server, MemoryWatch(server.process.pid) as memory:
                flood = Flood(server.port, key).run()
                self.assertEqual(flood.wrong, [])
                self.assertGreater(len(flood.done), 0, "nothing was done")
                self.assertGreater(len(flood.refused), 0, "nothing was too much")
                self.assertLess(flood.slowest, PATIENCE)
                # Who comes after the load is served as if it had not been.
                with server.client(key) as client:
                    answer = client.post("/v1/leads", {"given_name": "afterwards"}, idempotency_key=new_id())
                    self.assertEqual(answer.status, 201, answer)
                    shown = client.get(f"/v1/leads/{answer.json['id']}")
                    self.assertEqual(shown.status, 200, shown)
                    # And one that was refused can be sent again.
                    again = next(iter(flood.refused))
                    answer = client.post("/v1/leads", {"given_name": again}, idempotency_key=again)
                    self.assertEqual(answer.status, 201, answer)
                self.assertLess(memory.most, MEMORY_BYTES)
                print(f"done {len(flood.done)}, refused {len(flood.refused)}, slowest {flood.slowest:.2f} s, "
                      f"memory {memory.most >> 20} MiB", file=sys.stderr, flush=True)
            self.check_log(folder, flood, again)

    def check_log(self, folder, flood, again):
        places = {}
        for record in records(folder.data):
            self.assertNotIn(record["key"], places, "a key stands twice")
            places[record["key"]] = record["position"]
        for key, position in flood.done.items():
            self.assertEqual(places.get(key), position, f"{key} is acknowledged")
        self.assertFalse((flood.refused - {again}) & places.keys(), "refused, and written")


class Burdens:
    """Connections that cost the server and bring nothing."""

    def __init__(self, port, key):
        self.port = port
        self.key = key
        self.sockets = []

    def connect(self, timeout=10):
        made = socket.create_connection(("127.0.0.1", self.port), timeout)
        self.sockets.append(made)
        return made

    def idle(self, count):
        for _ in range(count):
            self.connect()

    def half_open(self, count):
        """Their other end says nothing more, in the middle of a request or of its body."""
        whole = request_bytes("POST", "/v1/leads", self.key, {"given_name": "x" * 50})
        for number in range(count):
            self.connect().sendall(whole[: 1 + number * (len(whole) - 2) // count])

    def slow_readers(self, count):
        """They ask for much and never take it."""
        ask = request_bytes("GET", "/v1/leads?limit=200", self.key)
        made = []
        for _ in range(count):
            reader = socket.socket()
            self.sockets.append(reader)
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.settimeout(10)
            reader.connect(("127.0.0.1", self.port))
            reader.sendall(ask * 30)
            made.append(reader)
        return made

    def slow_senders(self, count):
        return [SlowSender(self.connect(), self.key, in_body=number % 2 == 1) for number in range(count)]

    def close(self):
        for each in self.sockets:
            each.close()


class SlowSender:
    """One byte a second, of a head or of a body, until the server has had enough."""

    def __init__(self, connection, key, in_body):
        self.connection = connection
        whole = request_bytes("POST", "/v1/leads", key, {"given_name": "slow", "description": "x" * 2000})
        self.rest = whole
        if in_body:
            head = whole.index(b"\r\n\r\n") + 4
            self.connection.sendall(whole[:head])
            self.rest = whole[head:]
        self.ended = False
        connection.setblocking(False)

    def send_one(self):
        try:
            self.connection.send(self.rest[:1])
            self.rest = self.rest[1:]
            self.ended = self.connection.recv(4096) is not None  # an answer before the request, or the end
        except BlockingIOError:
            pass
        except OSError:
            self.ended = True


def is_ended(reader):
    """Takes what has come; true at the end of the connection."""
    try:
        reader.settimeout(5)
        while reader.recv(1 << 20):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True


class Guests(unittest.TestCase):
    """What others hold does not keep a client from being answered."""

    def test_idle_slow_and_silent_connections_do_not_keep_others_waiting(self):
        idle = min(IDLE, (allow_files(2 * IDLE + 2000) - 1000))
        with Folder() as folder:
            limits = ["--connections-max", str(2 * IDLE + 1000), "--connections-per-peer-max", str(2 * IDLE + 1000)]
            server = Server(folder, *limits)
            key = server.key("acme")
            with server, MemoryWatch(server.process.pid) as memory:
                client = server.client(key)
                for number in range(200):
                    lead = {"given_name": f"Guest {number}", "description": "d" * 4000}
                    self.assertEqual(client.post("/v1/leads", lead).status, 201)
                burdens = Burdens(server.port, key)
                self.addCleanup(burdens.close)
                burdens.idle(idle)
                burdens.half_open(50)
                readers = burdens.slow_readers(20)
                senders = burdens.slow_senders(20)
                self.serve_beside(server, key, senders)
                self.assertLess(memory.most, MEMORY_BYTES + idle * MEMORY_OF_A_CONNECTION_BYTES)
                print(f"{idle} idle, memory {memory.most >> 20} MiB", file=sys.stderr, flush=True)
                if LONG:
                    time.sleep(35)  # the limit for one answer
                    self.assertTrue(all(is_ended(reader) for reader in readers), "who does not read is kept")
                burdens.close()
                client.close()

    def serve_beside(self, server, key, senders):
        """Others ask all the time, each answer within their patience; until the slow senders are ended."""
        answers = 0
        deadline = time.monotonic() + 90
        while not all(sender.ended for sender in senders):
            self.assertLess(time.monotonic(), deadline, "who sends a byte a second is kept")
            for sender in senders:
                if not sender.ended:
                    sender.send_one()
            next_byte = time.monotonic() + 1
            while time.monotonic() < next_byte:
                client = server.client(key)
                client._connection.timeout = 5
                self.assertEqual(client.post("/v1/leads", {"given_name": "Beside"}).status, 201)
                self.assertEqual(client.get("/v1/leads?limit=10").status, 200)
                client.close()
                answers += 1
        self.assertGreater(answers, 0)
        print(f"{answers} others were answered meanwhile", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
