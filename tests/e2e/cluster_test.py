"""Several nodes on one Kafka: any of them takes any request, one decides, and nothing is lost when it goes.

Outside of the nodes stands what they acknowledged. In the end every node must hold each acknowledged command exactly
once, at the position that was told, in the same chain, with equal views.

BOS_CLUSTER_ROUNDS sets how often a node is killed or held still.
"""
import os
import shutil
import signal
import ssl
import subprocess
import threading
import time
import unittest

from bos_process import Folder, Server, bos, in_parallel, main, records, wait_until
from kafka_broker import Broker

ROUNDS = int(os.environ.get("BOS_CLUSTER_ROUNDS", "2"))
SHARDS = 48
TENANTS = ("acme", "globex", "initech", "umbrella")
WORKERS = 8

broker = None


def setUpModule():
    global broker
    broker = Broker().__enter__()
    unittest.addModuleCleanup(broker.__exit__)


class Cluster(unittest.TestCase):
    def setUp(self):
        self.options = ["--kafka", broker.address, "--kafka-replication", "1", "--kafka-prefix", self.id().split(".")[-1]]
        self.first = Folder()
        self.addCleanup(self.first.remove)
        first = self.node(self.first)
        self.keys = {tenant: first.key(tenant) for tenant in TENANTS}
        self.assertEqual(first.stop(), 0)

    def node(self, folder=None, *options):
        """One more node, with the master key of the first."""
        if folder is None:
            folder = Folder()
            self.addCleanup(folder.remove)
            options = ("--master-key", os.path.join(self.first.data, "master.key"), *options)
        node = Server(folder, *self.options, *options).start()
        self.addCleanup(node.kill)
        return node

    def nodes(self, count):
        nodes = [self.node(self.first)] + [self.node() for _ in range(count - 1)]
        self.wait_for_shards(nodes)
        return nodes

    def wait_for_shards(self, nodes):
        """Until they have all of them, and each has some."""
        def spread():
            counts = [shards_of(node) for node in nodes]
            return sum(counts) == SHARDS and all(counts)
        wait_until(spread, 30, "shards to be spread")

    def client(self, node, tenant="acme"):
        return node.client(self.keys[tenant])

    def check(self, nodes, history):
        """Every node holds what was acknowledged, and nothing twice."""
        for node in nodes:
            if node.process.poll() is None:
                self.assertEqual(node.stop(), 0, node.log())
        # Alone, a node decides for all tenants, and who decides has read to the end of the topics.
        for node in nodes:
            self.wait_for_shards([node.start()])
            for tenant in TENANTS:
                with self.client(node, tenant) as client:
                    self.assertEqual(client.get("/v1/leads", min_position="latest").status, 200)
            self.assertEqual(node.stop(), 0, node.log())
        for tenant in TENANTS:
            chains = [records(node.data, tenant=tenant) for node in nodes]
            for chain in chains[1:]:
                self.assertEqual(chain, chains[0])
            chain = {record["position"]: record for record in chains[0]}
            self.assertEqual(sorted(chain), list(range(1, len(chain) + 1)))
            written = [record["key"] for record in chains[0]]
            self.assertEqual(len(set(written)), len(written))
            for key, position, lead in history.acknowledged[tenant]:
                self.assertEqual((chain[position]["key"], chain[position]["target"]), (key, lead))
        words = [*self.options, "--master-key", os.path.join(self.first.data, "master.key")]
        hashes = [bos("views", "hash", "--data", node.data, *words).stdout for node in nodes]
        for each in hashes[1:]:
            self.assertEqual(each, hashes[0])


def shards_of(node):
    try:
        with node.client() as client:
            return client.get("/readyz").json.get("shards", 0)
    except OSError:
        return 0


def owner_of(case, nodes, tenant):
    """The node that decides for a tenant: it answers what another node sends it."""
    def found():
        for node in nodes:
            with case.client(node, tenant) as client:
                if client.request("POST", "/v1/leads?dry_run=true", {}, {"BOS-Forwarded": "test:1"}).status == 200:
                    return node
        return None
    return wait_until(found, 30, f"an owner of {tenant}")


class History:
    """Clients of all tenants on some nodes, and what they were told."""

    def __init__(self, case, nodes):
        self.case = case
        self.nodes = nodes
        self.acknowledged = {tenant: [] for tenant in TENANTS}
        self.wrong = []
        self.longest = 0.0  # seconds between two answers to a client
        self._ending = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(worker,)) for worker in range(WORKERS)]
        for thread in self._threads:
            thread.start()

    def count(self):
        return sum(map(len, self.acknowledged.values()))

    def end(self):
        self._ending.set()
        for thread in self._threads:
            thread.join()
        self.case.assertEqual(self.wrong, [])

    def more(self, count):
        """Waits until so many more were acknowledged."""
        wanted = self.count() + count
        wait_until(lambda: self.count() >= wanted, 60, f"{count} more acknowledged commands")

    def _work(self, worker):
        tenant = TENANTS[worker % len(TENANTS)]
        number = seen = 0
        mine = (None, 0)
        answered_at = time.monotonic()
        node = self.nodes[worker % len(self.nodes)]
        client = self.case.client(node, tenant)
        while not self._ending.is_set():
            key = f"{worker}-{number}"
            # Nobody else writes to the lead of this client: its versions have no gap.
            lead, version = mine
            try:
                if lead and number % 3:
                    answer = client.post(f"/v1/leads/{lead}/tag", {"tag": key}, idempotency_key=key)
                else:
                    answer = client.post("/v1/leads", {"source": "web", "given_name": key}, idempotency_key=key)
            except Exception:  # the node is gone, or was held still: the next one takes the same key
                client.close()
                node = self.nodes[(self.nodes.index(node) + 1) % len(self.nodes)]
                client = self.case.client(node, tenant)
                continue
            if answer.status >= 500:
                continue
            if answer.status not in (200, 201):
                self.wrong.append(f"{key}: {answer}")
                return
            told = (answer.json["id"], answer.json["version"])
            if answer.status == 200 and told != (lead, version + 1):
                self.wrong.append(f"{key}: {told} after {mine}")
            mine = told
            now = time.monotonic()
            with self._lock:
                self.longest = max(self.longest, now - answered_at)
                self.acknowledged[tenant].append((key, answer.json["position"], answer.json["id"]))
            answered_at = now
            number += 1
            if answer.position <= seen:
                self.wrong.append(f"{key}: position {answer.position} after {seen}")
            seen = answer.position
            if answer.status == 201:
                self._read(client, answer, key)
        client.close()

    def _read(self, client, written, key):
        wanted = "latest" if len(key) % 2 else written.position
        try:
            read = client.get(f"/v1/leads/{written.json['id']}", min_position=wanted)
        except Exception:
            return client.close()
        if read.status == 200 and read.position < written.position:
            self.wrong.append(f"a read at {read.position} for min_position {wanted}, after {written.position} was told")
        if read.status == 200 and read.json["given_name"] != key:
            self.wrong.append(f"{key} reads as {read}")
        if read.status not in (200, 503):
            self.wrong.append(f"a read after position {written.position}: {read}")


class Routing(Cluster):
    def test_any_node_takes_any_request(self):
        nodes = self.nodes(2)
        for tenant in TENANTS:
            owner = owner_of(self, nodes, tenant)
            other = nodes[1 - nodes.index(owner)]
            with self.client(owner, tenant) as at_owner, self.client(other, tenant) as at_other:
                first = at_other.post("/v1/leads", {"job_title": "CTO"}, idempotency_key="once")
                self.assertEqual(first.status, 201, first)
                lead = first.json["id"]
                again = at_owner.post("/v1/leads", {"job_title": "CTO"}, idempotency_key="once")
                self.assertEqual((again.body, again.headers["Idempotent-Replayed"]), (first.body, "true"))
                self.assertEqual(first.headers["Location"], f"/v1/leads/{lead}")
                # Refusals, versions and dry runs are those of the owner.
                tag = f"/v1/leads/{lead}/tag"
                self.assertEqual(at_other.post(tag, {"tag": "a"}, if_match=first.headers["ETag"]).headers["ETag"], '"2"')
                self.assertEqual(at_other.post(tag, {"tag": "b"}, if_match=first.headers["ETag"]).json["current_version"], 2)
                self.assertEqual(at_other.post(tag + "?dry_run=true", {"tag": "é/ &"}).json["events"][0]["data"]["tag"], "é/ &")
                self.assertEqual(at_other.post(tag, {"tog": "b"}).json["errors"][0]["pointer"], "/tog")
                # Reads follow, and wait for a position that they were told.
                written = at_owner.post(tag, {"tag": "c"})
                self.assertEqual(at_other.get_at(f"/v1/leads/{lead}", written.position).json["tags"], ["a", "c"])
                written = at_owner.post(tag, {"tag": "d"})
                self.assertEqual(at_other.get(f"/v1/leads/{lead}", min_position="latest").json["tags"], ["a", "c", "d"])

    def test_a_request_that_was_sent_on_is_not_sent_on_again(self):
        nodes = self.nodes(2)
        owner = owner_of(self, nodes, "acme")
        with self.client(nodes[1 - nodes.index(owner)]) as client:
            refused = client.request("POST", "/v1/leads", {}, {"BOS-Forwarded": "somebody:1"})
            self.assertEqual((refused.status, refused.code), (421, "misdirected"))
        self.assertEqual(owner.stop(), 0)

    def test_nodes_that_serve_tls_talk_tls_to_each_other(self):
        certificate, key = (os.path.join(self.first.path, name) for name in ("cert.pem", "key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=bos", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
                       check=True, capture_output=True)
        options = ["--tls-certificate", certificate, "--tls-key", key]
        trusting = [self.node(folder, *options, "--peer-authorities", certificate) for folder in (self.first, None)]
        tls = ssl.create_default_context(cafile=certificate)

        def captured(node):
            with node.client(self.keys["acme"], tls) as client:
                return client.post("/v1/leads", {})

        for node in trusting:
            self.assertEqual(captured(node).status, 201)
        self.assertEqual(trusting[1].stop(), 0)
        # One that does not know the other's authority sends nothing to it.
        self.assertEqual(captured(trusting[0]).status, 201)
        suspicious = self.node(None, *options, "--roles", "gateway")
        self.assertEqual(captured(suspicious).code, "unavailable")

    def test_wrong_keys_end_where_they_came(self):
        nodes = self.nodes(2)
        for node in nodes:
            with node.client("bos_0123456789abcdef_" + "0" * 43) as client:
                self.assertEqual(client.post("/v1/leads", {}).status, 401)


class Roles(Cluster):
    def test_each_node_does_its_part(self):
        deciding = self.node(None, "--roles", "commands")
        reading = self.node(None, "--roles", "gateway,projections")
        taking = self.node(None, "--roles", "gateway")
        self.wait_for_shards([deciding])
        with self.client(taking) as client, self.client(reading) as reader:
            made = client.post("/v1/leads", {"job_title": "CTO"})
            self.assertEqual(made.status, 201, made)
            path = f"/v1/leads/{made.json['id']}"
            for each in (client, reader):
                self.assertEqual(each.get_at(path, made.position).json["job_title"], "CTO")
                self.assertEqual(each.get(path, min_position="latest").json["job_title"], "CTO")
            self.assertEqual(reader.post(path + "/tag", {"tag": "x"}).json["version"], 2)
        # It decides what other nodes send, and takes nothing else.
        with self.client(deciding) as client:
            self.assertEqual(client.get("/v1/leads").code, "misdirected")
            self.assertEqual(client.get("/livez").status, 200)


class Handover(Cluster):
    def test_a_node_that_leaves_politely_loses_nothing(self):
        nodes = self.nodes(2)
        history = History(self, nodes)
        history.more(200)
        for _ in range(ROUNDS):
            leaving = owner_of(self, nodes, "acme")
            self.assertEqual(leaving.stop(), 0, leaving.log())
            history.more(200)
            leaving.start()
            self.wait_for_shards(nodes)
            history.more(200)
        history.end()
        print(f"longest wait of a client: {history.longest:.3f} s, {history.count()} commands", flush=True)
        self.check(nodes, history)

    def test_an_owner_that_is_killed_loses_nothing(self):
        nodes = self.nodes(2)
        history = History(self, nodes)
        for _ in range(ROUNDS):
            history.more(200)
            killed = owner_of(self, nodes, "acme")
            killed.kill()
            history.more(200)
            killed.start()
            self.wait_for_shards(nodes)
        history.more(200)
        history.end()
        print(f"longest wait of a client: {history.longest:.3f} s, {history.count()} commands", flush=True)
        self.check(nodes, history)

    def test_an_owner_that_stood_still_and_wakes_up_writes_nothing_that_counts(self):
        nodes = self.nodes(2)
        history = History(self, nodes)
        for _ in range(ROUNDS):
            history.more(200)
            paused = owner_of(self, nodes, "acme")
            awake = nodes[1 - nodes.index(paused)]
            paused.process.send_signal(signal.SIGSTOP)
            try:
                wait_until(lambda: shards_of(awake) == SHARDS, 30, "the other node to take over")
                with self.client(awake) as client:
                    self.assertEqual(client.post("/v1/leads", {}, idempotency_key=f"meanwhile {history.count()}".replace(" ", "-")).status, 201)
            finally:
                paused.process.send_signal(signal.SIGCONT)
            self.wait_for_shards(nodes)
        history.more(200)
        history.end()
        print(f"longest wait of a client: {history.longest:.3f} s, {history.count()} commands", flush=True)
        self.check(nodes, history)


class Silence(Cluster):
    def test_a_broker_that_stands_still_costs_time_only(self):
        nodes = self.nodes(2)
        history = History(self, nodes)
        for _ in range(ROUNDS):
            history.more(200)
            broker.pause()
            try:
                time.sleep(3)  # shorter than the session, longer than any answer
            finally:
                broker.resume()
        history.more(200)
        history.end()
        self.check(nodes, history)


if __name__ == "__main__":
    main()
