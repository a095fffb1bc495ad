"""What deploy/ gives to operators works: brokers start with its settings and have them, nodes serve on them with its bos.ini.

Ports, folders and addresses are replaced; see tests/kafka/broker.
"""
import os
import re
import shutil
import unittest

from bos_process import Folder, Server, bos, log_word, main, wait_until
from kafka_broker import Broker

DEPLOY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "deploy")
ONE = os.path.join(DEPLOY, "kafka-one", "server.properties")
THREE = os.path.join(DEPLOY, "kafka-three", "server.properties")
# What differs from machine to machine.
PLACE = {"node.id", "controller.quorum.voters", "listeners", "advertised.listeners", "log.dirs"}


def settings_in(file):
    with open(file, encoding="utf-8") as lines:
        return dict(line.strip().split("=", 1) for line in lines if line.strip() and not line.startswith("#"))


class Deployment(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)

    def broker(self, nodes, properties):
        broker = Broker(nodes, properties).__enter__()
        self.addCleanup(broker.__exit__)
        return broker

    def node(self, brokers, replicas):
        """With bos.ini as its comments say that it is to be changed."""
        with open(os.path.join(DEPLOY, "bos.ini"), encoding="utf-8") as file:
            text = file.read()
        text, changed = re.subn(r'^kafka=".*"$', f'kafka="{brokers.address}"', text, flags=re.MULTILINE)
        self.assertEqual(changed, 1)
        if replicas == 1:
            self.assertIn("\n; kafka-replication=1\n", text)
            text = text.replace("\n; kafka-replication=1\n", "\nkafka-replication=1\n")
        config = os.path.join(self.folder.path, "bos.ini")
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        node = Server(self.folder, config=config).start()
        self.addCleanup(node.kill)
        return node

    def check_settings(self, broker, nodes, file):
        """A name that Kafka does not know, it passes over without a word."""
        for node in range(1, nodes + 1):
            has = broker.configs(node)
            for name, value in settings_in(file).items():
                if name in PLACE:
                    self.assertIn(name, has)
                else:
                    self.assertEqual(has.get(name), value, name)

    def test_brokers_have_the_settings_of_the_files(self):
        for nodes, file in ((1, ONE), (3, THREE)):
            with self.subTest(file), Broker(nodes, file) as broker:
                self.check_settings(broker, nodes, file)

    def test_a_log_goes_from_a_folder_to_one_broker_to_three_which_go_on_as_two(self):
        laptop = Server(self.folder).start()
        self.addCleanup(laptop.kill)
        key = laptop.key("acme")
        with laptop.client(key) as client:
            self.assertEqual(client.post("/v1/leads", {"given_name": "Ada"}).status, 201)
        self.assertEqual(laptop.stop(), 0)

        one = self.broker(1, ONE)
        to_one = ["--data", self.folder.data, "--kafka", one.address, "--kafka-replication", 1]
        bos("promote", *to_one)
        node = self.node(one, 1)
        with node.client(key) as client:
            self.assertEqual(client.post("/v1/leads", {"given_name": "Grace"}).status, 201)
        self.assertEqual(node.stop(), 0, node.log())

        three = self.broker(3, THREE)
        verified = log_word("verify", self.folder.data)
        bos("pull", *to_one)
        shutil.rmtree(os.path.join(self.folder.data, "promoted-log"))  # of the first move
        bos("promote", "--data", self.folder.data, "--kafka", three.address)
        self.assertEqual(log_word("verify", self.folder.data), verified)
        node = self.node(three, 3)
        with node.client(key) as client:
            self.assertEqual(client.post("/v1/leads", {"given_name": "Barbara"}).status, 201)
            three.kill(1)
            wait_until(lambda: client.post("/v1/leads", {"given_name": "Edith"}, idempotency_key="edith").status == 201, 60,
                       "a command on two brokers")
            leads = client.get("/v1/leads").json["items"]
        self.assertEqual(sorted(lead["given_name"] for lead in leads), ["Ada", "Barbara", "Edith", "Grace"])
        self.assertEqual(node.stop(), 0, node.log())


if __name__ == "__main__":
    main()
