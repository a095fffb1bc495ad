"""A Kafka that lets in by TLS and SASL alone: all that BOS does there, and what it says where it is not let in."""
import os
import re
import subprocess
import unittest

from bos_process import Folder, Server, binary, bos, log_word, main, make_key, wait_until
from kafka_broker import Broker

PERSON = {"given_name": "Ada", "family_name": "Lovelace", "emails": ["ada@acme.example"]}
PROMPTLY = 30  # seconds: before anybody gives up on a broker that does not answer

broker = None
given = None  # what a client needs


def setUpModule():
    global broker, given
    broker = Broker(secured=True).__enter__()
    unittest.addModuleCleanup(broker.__exit__)
    with open(broker.client_properties, encoding="utf-8") as file:
        given = dict(line.rstrip("\n").split("=", 1) for line in file)


class Secured(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)
        self.prefix = self.id().split(".")[-1]
        self.cluster = ["--kafka", broker.address, "--kafka-replication", "1", "--kafka-prefix", self.prefix]
        self.options = [*self.cluster, "--kafka-properties-file", broker.client_properties]

    def node(self, folder=None, options=None, config=None):
        node = Server(folder or self.folder, *(self.options if options is None else options), config=config).start()
        self.addCleanup(node.kill)
        return node

    def file(self, text, mode=0o600):
        path = os.path.join(self.folder.path, "client.properties")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        return path

    def with_properties(self, **changed):
        """As the broker's, but for these; a name has _ where librdkafka has a dot."""
        properties = given | {name.replace("_", "."): value for name, value in changed.items()}
        return self.file("".join(f"{name}={value}\n" for name, value in properties.items()))


class LetIn(Secured):
    def wait_for_shards(self, nodes):
        def spread():
            counts = []
            for node in nodes:
                with node.client() as client:
                    counts.append(client.get("/readyz").json.get("shards", 0))
            return all(counts) and sum(counts) == 48

        wait_until(spread, 30, "shards on all nodes")

    def wait_until_published(self, count, nodes):
        """Until so many records of events are acknowledged; returns what /metrics says then."""
        def published():
            texts = []
            for node in nodes:
                with node.client() as client:
                    texts.append(client.get("/metrics").body.decode())
            text = "".join(texts)
            return text if sum(map(float, re.findall(r"^bos_events_published_total (\S+)$", text, re.MULTILINE))) >= count else None

        return wait_until(published, 30, "events to be published")

    def records_of(self, *names):
        """Of the topics of this test."""
        counts = broker.records()
        return [counts.get(f"{self.prefix}.{name}", 0) for name in names]

    def test_two_nodes_share_log_keys_and_credentials_and_publish_events(self):
        other = Folder()
        self.addCleanup(other.remove)
        first = self.node()
        same_key = ["--master-key", os.path.join(self.folder.data, "master.key")]
        second = self.node(other, self.options + same_key)
        nodes = (first, second)

        self.wait_for_shards(nodes)
        key = first.key("acme")
        for taking, reading in (nodes, reversed(nodes)):
            with taking.client(key) as client:
                made = client.post("/v1/leads", PERSON)
                self.assertEqual(made.status, 201, made)
            with reading.client(key) as client:
                path = f"/v1/leads/{made.json['id']}"
                self.assertEqual(client.get_at(path, made.position).json["family_name"], "Lovelace")
        figures = self.wait_until_published(2, nodes)
        log, events, keys, credentials, seats = self.records_of("log.acme", "events.acme", "keys", "credentials", "shards")
        self.assertEqual((log, credentials), (2, 1))
        self.assertGreaterEqual(events, 2)
        self.assertGreater(keys, 0)
        self.assertGreater(seats, 0)
        for node in nodes:
            self.assertEqual(node.stop(), 0, node.log())
            self.assertNotIn(given["sasl.password"], node.log() + node.output() + figures)

    def test_a_log_is_promoted_served_or_not_and_pulled(self):
        embedded = self.node(options=[])
        key = embedded.key("acme")
        with embedded.client(key) as client:
            client.post("/v1/leads", PERSON)
            bos("promote", "--data", self.folder.data, *self.options)  # the server does it
            self.assertEqual(client.post("/v1/leads", {}).status, 201)
        self.assertEqual(embedded.stop(), 0, embedded.log())
        self.assertNotIn(given["sasl.password"], embedded.log())
        verified = log_word("verify", self.folder.data)
        bos("pull", "--data", self.folder.data, *self.options)
        self.assertEqual(log_word("verify", self.folder.data), verified)
        os.rename(os.path.join(self.folder.data, "promoted-log"), os.path.join(self.folder.path, "first"))
        bos("promote", "--data", self.folder.data, *self.options)  # nobody serves it
        with self.node().client(key) as client:
            self.assertEqual(sorted(lead.get("given_name", "") for lead in client.get("/v1/leads").json["items"]), ["", "Ada"])

    def test_what_a_client_needs_is_given_by_config_file_by_flags_or_by_a_variable(self):
        config = os.path.join(self.folder.path, "bos.ini")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'[serve]\nkafka="{broker.address}"\nkafka-replication=1\nkafka-prefix={self.prefix}\n'
                       f'kafka-properties-file={broker.client_properties}\n')
        node = self.node(options=[], config=config)
        flags = [word for name, value in given.items() for word in ("--kafka-property", f"{name}={value}")]
        key = make_key(self.folder.data, "acme", options=self.cluster + flags)
        with node.client(key) as client:
            self.assertEqual(client.get("/v1/leads").status, 200)
            # What stands behind a property is not taken for another one.
            bos("key", "revoke", "--data", self.folder.data, *self.cluster, *flags, key.split("_")[1])
            wait_until(lambda: client.get("/v1/leads").status == 401, 5, "the key's end")
        told = subprocess.run([binary(), "key", "list", "--data", self.folder.data, *self.cluster], capture_output=True, text=True,
                              env={**os.environ, "BOS_KAFKA_PROPERTIES_FILE": broker.client_properties}, timeout=PROMPTLY, check=False)
        self.assertEqual((told.returncode, told.stdout), (0, ""), told.stderr)

    def test_scram_is_let_in_or_librdkafka_is_named_as_too_old_for_it(self):
        file = self.with_properties(sasl_mechanism="SCRAM-SHA-512")
        done = bos("key", "list", "--data", self.folder.data, *self.cluster, "--kafka-properties-file", file, check=False)
        if done.returncode != 0:
            self.assertRegex(done.stderr, r"needs librdkafka 2\.6\.1, this is 2\.[0-6]\.")

    def test_one_of_several_brokers_that_refuses_keeps_nobody_out(self):
        brokers = f"{broker.plain_address()},{broker.address}"  # the first one speaks no TLS; either is tried first
        for _ in range(4):
            bos("key", "list", "--data", self.folder.data, "--kafka", brokers, *self.options[2:], timeout=PROMPTLY)

    def test_a_flag_comes_before_the_file(self):
        flag = ["--kafka-property", f"sasl.password={given['sasl.password']}"]
        wrong = self.with_properties(sasl_password="wrong")
        bos("key", "list", "--data", self.folder.data, *self.cluster, "--kafka-properties-file", wrong, *flag)


class LetOut(Secured):
    def refused(self, options, *words):
        """What a word says that ends with a refusal; it wrote nothing."""
        before = sorted(os.listdir(self.folder.data)) if os.path.exists(self.folder.data) else None
        for word in words or (["serve", "--port", "0"],):
            done = bos(*word, "--data", self.folder.data, *self.cluster, *options, check=False, timeout=PROMPTLY)
            self.assertEqual(done.returncode, 1, f"{word}: {done.stderr}")
            for secret in (given["sasl.password"], "a-wrong-secret"):
                self.assertNotIn(secret, done.stdout + done.stderr)
            after = sorted(os.listdir(self.folder.data)) if os.path.exists(self.folder.data) else None
            self.assertEqual(after, before, word)
        self.assertEqual([topic for topic in broker.records() if topic.startswith(self.prefix)], [])
        return done.stderr

    def from_file(self, **changed):
        return ["--kafka-properties-file", self.with_properties(**changed)]

    def test_a_wrong_password_is_refused_by_every_word(self):
        create = ["key", "create", "--tenant", "acme", "--user", "Ada"]
        told = self.refused(self.from_file(sasl_password="a-wrong-secret"), create, ["views", "hash"], ["pull"],
                            ["serve", "--port", "0"])
        for what in ("bos: ", broker.address, "sasl.mechanism", "sasl.username", "sasl.password", "--kafka-properties-file"):
            self.assertIn(what, told)
        make_key(self.folder.data, "acme")
        self.refused(self.from_file(sasl_password="a-wrong-secret"), ["promote"])

    def test_an_order_to_move_a_log_there_changes_nothing(self):
        node = self.node(options=[])
        key = node.key("acme")
        self.refused(self.from_file(sasl_password="a-wrong-secret"), ["promote"])
        with node.client(key) as client:
            self.assertEqual(client.post("/v1/leads", {}).status, 201)
        self.assertNotIn("a-wrong-secret", node.log())

    def test_a_certificate_of_an_authority_that_is_not_trusted_is_refused(self):
        other = os.path.join(self.folder.path, "other.pem")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                        "-subj", "/CN=another authority", "-keyout", other + ".key", "-out", other], check=True, capture_output=True)
        told = self.refused(self.from_file(ssl_ca_location=other))
        for what in ("bos: ", broker.address, "certificate", "ssl.ca.location"):
            self.assertIn(what, told)

    def test_a_name_or_a_mechanism_that_brokers_do_not_know_is_refused(self):
        self.assertIn("sasl.username", self.refused(self.from_file(sasl_username="nobody")))
        self.assertIn("SCRAM-SHA-512", self.refused(self.from_file(sasl_mechanism="SCRAM-SHA-256")))

    def test_a_client_that_speaks_plain_text_is_told_what_may_be_wrong(self):
        done = bos("serve", "--port", "0", "--data", self.folder.data, *self.cluster, check=False, timeout=PROMPTLY)
        self.assertEqual(done.returncode, 1)
        self.assertIn("security.protocol", done.stderr)

    def test_a_node_with_a_replica_is_refused_too(self):
        self.assertEqual(Server(self.folder, *self.options[:4], "--kafka-prefix", "kept", *self.options[6:]).start().stop(), 0)
        self.cluster = [*self.cluster[:4], "--kafka-prefix", "kept"]
        self.assertIn("sasl.password", self.refused(self.from_file(sasl_password="a-wrong-secret")))

    def test_a_file_that_others_may_read_or_that_does_not_read_is_refused(self):
        open_to_others = self.file("sasl.password=a-wrong-secret\n", 0o640)
        self.assertIn("chmod 600", self.refused(["--kafka-properties-file", open_to_others]))
        no_property = self.file("# as the administrator said\nsasl.password: a-wrong-secret\n")
        self.assertIn("line 2", self.refused(["--kafka-properties-file", no_property]))
        self.assertIn("number 2", self.refused(["--kafka-property", "a=b", "--kafka-property", "sasl.password:a-wrong-secret"]))
        self.assertIn("no-file", self.refused(["--kafka-properties-file", os.path.join(self.folder.path, "no-file")]))


if __name__ == "__main__":
    main()
