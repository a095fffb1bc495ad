"""The real process killed, stopped and restarted under load, and data folders that must be refused.

Outside of the server, and never killed, stands what it acknowledged. After every restart the log must hold each
acknowledged command exactly once and each unanswered one once or not at all.

BOS_CRASH_KILLS sets how often the process is killed, BOS_CRASH_SEED repeats the choices of a run.
"""
import http.client
import json
import os
import random
import shutil
import subprocess
import threading
import time
import unittest

from bos_process import Folder, Server, binary, bos, kafka_options, log_word, main, make_key, new_id, records

SEED = int(os.environ.get("BOS_CRASH_SEED", random.randrange(1 << 32)))
# On Kafka each start waits until the group has forgotten the process that was killed.
KILLS = int(os.environ.get("BOS_CRASH_KILLS", "10" if os.environ.get("BOS_E2E_KAFKA") else "100"))
STOPS = 5
WORKERS = 16
LOST = (OSError, http.client.HTTPException)


class Tenant:
    """What the outside knows of a tenant, and how far its log was checked."""

    def __init__(self, name, key):
        self.name = name
        self.key = key
        self.lock = threading.Lock()
        self.leads = []         # ids, of acknowledged captures
        self.names = {}         # id -> given name
        self.acknowledged = {}  # key -> (status, body, request)
        self.refused = set()
        self.unknown = {}       # key -> request
        # The log as far as it was read.
        self.position = 0
        self.hash = None
        self.places = {}        # key -> record
        self.versions = {}      # stream -> version

    def note(self, key, request, answer):
        """Takes in an answer; returns what is wrong with it."""
        with self.lock:
            if answer.status in (200, 201):
                body = answer.json
                self.unknown.pop(key, None)
                first = self.acknowledged.setdefault(key, (answer.status, answer.body, request))
                if first[:2] != (answer.status, answer.body):
                    return f"{key} was answered {first[1]} and now {answer}"
                if answer.status == 201:
                    self.leads.append(body["id"])
                    self.names[body["id"]] = request[2]["given_name"]
            elif answer.status >= 500:
                self.unknown[key] = request
            elif key in self.acknowledged:
                return f"{key} was acknowledged and now {answer}"
            elif answer.status in (404, 409, 412):
                self.refused.add(key)
            else:
                return f"unexpected: {request} {answer}"
        return None

    def read_log(self, data):
        """Reads on in the log and checks what every log promises."""
        if not self.acknowledged and self.name + ":" not in log_word("verify", data):
            return  # nothing was written yet
        for record in records(data, self.position + 1, self.name):
            assert record["position"] == self.position + 1, f"position {record['position']} after {self.position}"
            assert self.hash in (None, record["previous_hash"]), f"the chain breaks at {record['position']}"
            assert record["key"] not in self.places, f"key {record['key']} stands twice in the log"
            self.position, self.hash = record["position"], record["hash"]
            self.places[record["key"]] = record
            for event in record["events"]:
                stream = (event["stream"], event["type"] == "leads.lead-number-taken.v1")
                version = self.versions.get(stream, 0) + 1
                assert event["version"] == version, f"version {event['version']} after {version - 1} at {self.position}"
                self.versions[stream] = version

    def check_log(self):
        for key, (_, body, _) in self.acknowledged.items():
            answer = json.loads(body)
            record = self.places.get(key)
            assert record, f"acknowledged, and lost: {key} {body}"
            assert record["position"] == answer["position"], f"{key} stands at {record['position']}, told {body}"
            told = (answer["id"], answer["version"])
            # What had nothing to change stands there with its key alone.
            kept = [(event["stream"], event["version"]) for event in record["events"]] or [(record["target"], record["target_version"])]
            assert told in kept, f"{key}: told {body}, recorded {record}"
            assert answer["changed"] == bool(record["events"]), f"{key}: told {body}, recorded {record}"
        for key in self.refused:
            assert key not in self.places, f"refused, and written: {key}"


class Load:
    """Clients that send commands until the server is gone."""

    def __init__(self, server, tenants, name):
        self.server = server
        self.tenants = tenants
        self.name = name
        self.answers = 0
        self.wrong = []
        self.cut = []  # (when it was wholly sent, request) of requests without an answer
        self.ending = threading.Event()
        self.threads = [threading.Thread(target=self.work, args=(worker,)) for worker in range(WORKERS)]
        for thread in self.threads:
            thread.start()

    def work(self, worker):
        tenant = self.tenants[worker % len(self.tenants)]
        dice = random.Random(f"{SEED}-{self.name}-{worker}")
        mine = []
        client = self.server.client(tenant.key)
        number = 0
        while not self.ending.is_set():
            number += 1
            if mine and dice.random() < 0.15:
                key, request = dice.choice(mine)  # again, while it is on its way or long done
            elif dice.random() < 0.1:
                # The same key from all clients of the tenant at about the same time.
                key = f"{self.name}-all-{number // 10}"
                request = ("POST", "/v1/leads", {"given_name": key})
            else:
                key = f"{self.name}-{worker}-{number}"
                request = self.request(tenant, key, dice)
            if not self.send(client, tenant, key, request):
                break
            if key in tenant.acknowledged:
                mine.append((key, request))
        client.close()

    def request(self, tenant, key, dice):
        if not tenant.leads or dice.random() < 0.3:
            return ("POST", "/v1/leads", {"given_name": key, "emails": [f"{key}@load.example"], "owner": new_id(),
                                          "expected_value": {"minor": dice.randrange(1000), "currency": "EUR"}})
        # Few leads, so that clients meet on them.
        lead = dice.choice(tenant.leads[-20:])
        word, body = dice.choice([
            ("tag", {"tag": key[-40:]}), ("score", {"score": dice.randrange(1000)}), ("assign", {"owner": new_id()}),
            ("log-activity", {"kind": "call", "direction": "outbound", "subject": "On " + key}), ("qualify", {}),
            ("disqualify", {"lost_reason": "other", "lost_note": key}), ("recycle", {}), ("hold", {}), ("resume", {}),
            ("", {"job_title": key}), ("", {"phones": ["+4930" + str(dice.randrange(10 ** 6, 10 ** 7))]})])
        if not word:
            return ("PATCH", f"/v1/leads/{lead}", body)
        return ("POST", f"/v1/leads/{lead}/{word}", body)

    def send(self, client, tenant, key, request):
        sent = None
        try:
            client.send(*request, headers={"Idempotency-Key": key})
            sent = time.monotonic()
            answer = client.receive()
        except LOST as lost:
            with tenant.lock:
                if key not in tenant.acknowledged:
                    tenant.unknown[key] = request
                if sent:
                    self.cut.append((sent, request, repr(lost)))
            return False
        self.answers += 1
        wrong = tenant.note(key, request, answer)
        if wrong:
            self.wrong.append(wrong)
        return not wrong

    def join(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        assert not self.wrong, self.wrong[:3]
        return self.answers


def check(server, tenants, dice):
    """After a restart: the log against what was acknowledged, then the unanswered commands once more."""
    log_word("verify", server.data)
    for tenant in tenants:
        tenant.read_log(server.data)
        tenant.check_log()
        with server.client(tenant.key) as client:
            for key, request in list(tenant.unknown.items()):
                before = tenant.places.get(key)
                answer = client.request(*request, headers={"Idempotency-Key": key})
                wrong = tenant.note(key, request, answer)
                assert not wrong, wrong
                if before:
                    assert answer.status in (200, 201), f"{key} stands at {before['position']} and is answered {answer}"
                    assert answer.position == before["position"], f"{key} happened twice: {before} and {answer}"
                    assert answer.headers["Idempotent-Replayed"] == "true"
            assert all(key in tenant.refused or key not in tenant.places for key in tenant.unknown)
            tenant.unknown.clear()
            for key in dice.sample(sorted(tenant.acknowledged), min(30, len(tenant.acknowledged))):
                status, body, request = tenant.acknowledged[key]
                again = client.request(*request, headers={"Idempotency-Key": key})
                assert (again.status, again.body) == (status, body), f"{key}: first {body}, now {again}"
                lead = json.loads(body)["id"]
                read = client.get(f"/v1/leads/{lead}", min_position=json.loads(body)["position"])
                assert read.status == 200 and read.json["version"] >= json.loads(body)["version"], f"{body} but {read}"
                assert read.json["given_name"] == tenant.names[lead], read
        tenant.read_log(server.data)
        tenant.check_log()


class Crashes(unittest.TestCase):
    def setUp(self):
        print(f"seed {SEED}", flush=True)
        self.folder = Folder()
        self.addCleanup(self.folder.remove)
        self.tenants = [Tenant(name, make_key(self.folder.data, name)) for name in ("one", "two")]
        self.dice = random.Random(SEED)
        self.server = Server(self.folder)
        self.addCleanup(self.server.kill)

    def finish(self):
        """Every lead is readable, and the views are what a replay of the log gives."""
        for tenant in self.tenants:
            with self.server.client(tenant.key) as client:
                page = {"next": None}
                seen = {}
                while "next" in page:
                    cursor = {"cursor": page["next"]} if page["next"] else {}
                    page = client.get("/v1/leads", limit=200, **cursor).json
                    seen.update({item["id"]: item["given_name"] for item in page["items"]})
                for lead, name in tenant.names.items():
                    self.assertEqual(seen.get(lead), name)
        self.assertEqual(self.server.stop(), 0, self.server.log())
        kept = bos("views", "hash", "--data", self.folder.data).stdout
        bos("views", "rebuild", "--data", self.folder.data)
        self.assertEqual(bos("views", "hash", "--data", self.folder.data).stdout, kept)
        self.assertGreaterEqual(len(kept.splitlines()), 2 * 5)

    def test_nothing_acknowledged_is_lost_when_the_process_is_killed(self):
        answers = recoveries_killed = unanswered = 0
        slowest = 0
        for kill in range(KILLS):
            if kill and self.dice.random() < 0.25:
                # While it comes up.
                process = subprocess.Popen([binary(), "serve", "--data", self.folder.data, "--port", "0",
                                            *kafka_options(self.folder.data)],
                                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                threading.Event().wait(self.dice.uniform(0, 0.08))
                process.kill()
                process.wait()
                recoveries_killed += 1
            began = time.monotonic()
            self.server.start()
            slowest = max(slowest, time.monotonic() - began)
            check(self.server, self.tenants, self.dice)
            load = Load(self.server, self.tenants, f"k{kill}")
            threading.Event().wait(self.dice.uniform(0.05, 0.7))
            self.server.kill()
            answers += load.join()
            unanswered += len(load.cut)
        self.server.start()
        check(self.server, self.tenants, self.dice)
        self.finish()
        total = sum(tenant.position for tenant in self.tenants)
        print(f"{KILLS} kills under load and {recoveries_killed} while starting: {answers} answers, {unanswered} unanswered, "
              f"{total} records, slowest start {slowest:.2f} s", flush=True)
        self.assertGreater(total, 20 * KILLS)

    def test_every_request_is_answered_when_the_process_is_asked_to_stop(self):
        answers = 0
        cut = []
        for stop in range(STOPS):
            self.server.start()
            check(self.server, self.tenants, self.dice)
            load = Load(self.server, self.tenants, f"s{stop}")
            threading.Event().wait(self.dice.uniform(0.1, 0.6))
            signalled = time.monotonic()
            self.assertEqual(self.server.stop(), 0, self.server.log())
            answers += load.join()
            cut += [(round(signalled - sent, 6), *rest) for sent, *rest in load.cut if sent < signalled]
            self.assertNotIn("cut at the deadline", self.server.log())
        self.server.start()
        check(self.server, self.tenants, self.dice)
        self.finish()
        print(f"{STOPS} stops: {answers} answers", flush=True)
        self.assertEqual(cut, [], "seconds before the signal, request")


class Refusals(unittest.TestCase):
    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)
        self.server = Server(self.folder).start()
        self.addCleanup(self.server.kill)
        self.key = self.server.key("acme")
        self.leads = self.fill(20)

    def fill(self, count):
        with self.server.client(self.key) as client:
            return [client.post("/v1/leads", {"given_name": f"N{i}"}).json["id"] for i in range(count)]

    def path(self, *names):
        return os.path.join(self.folder.data, *names)

    def refusal(self):
        """The message with which a server refuses the folder."""
        began = time.monotonic()
        done = bos("serve", "--data", self.folder.data, "--port", "0", check=False, timeout=20)
        self.assertNotIn(done.returncode, (0, None))
        self.assertGreater(done.returncode, 0, "ended by a signal: " + done.stderr)
        self.assertNotIn("BOS serves", done.stdout)
        self.assertLess(time.monotonic() - began, 5)
        self.assertRegex(done.stderr, r"(?m)^bos: \S")
        return done.stderr

    def assert_serves(self, leads):
        self.server.start()
        with self.server.client(self.key) as client:
            self.assertEqual({item["id"] for item in client.get("/v1/leads", limit=200).json["items"]}, set(leads))
        self.assertEqual(self.server.stop(), 0)

    def test_a_second_server_on_the_folder(self):
        self.assertRegex(self.refusal(), "(?i)lock|another|in use")
        self.fill(1)
        rebuilt = bos("views", "rebuild", "--data", self.folder.data, check=False)
        self.assertNotEqual(rebuilt.returncode, 0)
        bos("log", "verify", "--data", self.folder.data)
        self.assertEqual(self.server.stop(), 0)

    def test_a_log_that_was_deleted(self):
        self.assertEqual(self.server.stop(), 0)
        os.rename(self.path("log"), self.path("away"))
        message = self.refusal()
        self.assertIn("no log at all", message)
        self.assertIn("restore", message)
        shutil.rmtree(self.path("log"), ignore_errors=True)
        os.rename(self.path("away"), self.path("log"))
        self.assert_serves(self.leads)

    def test_a_mark_that_was_deleted(self):
        self.assertEqual(self.server.stop(), 0)
        os.rename(self.path("log.mark"), self.path("away"))
        self.assertIn("no mark", self.refusal())
        self.assertFalse(os.path.exists(self.path("log.mark")), "the refused folder was changed")
        os.rename(self.path("away"), self.path("log.mark"))
        self.assert_serves(self.leads)

    def test_a_mark_that_was_damaged(self):
        self.assertEqual(self.server.stop(), 0)
        with open(self.path("log.mark"), "r+b") as mark:
            whole = mark.read()
            mark.seek(0)
            mark.write(bytes(byte ^ 0xFF for byte in whole))
        self.assertIn("mark", self.refusal())
        with open(self.path("log.mark"), "wb") as mark:
            mark.write(whole)
        self.assert_serves(self.leads)

    def test_a_log_that_was_rolled_back(self):
        self.assertEqual(self.server.stop(), 0)
        shutil.copytree(self.path("log"), self.path("older"))
        self.server.start()
        more = self.fill(5)
        self.assertEqual(self.server.stop(), 0)
        os.rename(self.path("log"), self.path("newer"))
        os.rename(self.path("older"), self.path("log"))
        self.assertIn("a log that ends at record 20", self.refusal())
        shutil.rmtree(self.path("log"))
        os.rename(self.path("newer"), self.path("log"))
        self.assert_serves(self.leads + more)

    def test_a_log_that_lost_its_newest_file(self):
        self.server.kill()
        files = [self.path("log", name) for name in os.listdir(self.path("log")) if name.endswith(".log")]
        wal = max(files, key=os.path.getsize)
        self.assertGreater(os.path.getsize(wal), 0)
        os.rename(wal, self.path("away"))
        self.assertIn("refused", self.refusal())

    def test_a_log_whose_end_is_given_up_on_purpose(self):
        self.assertEqual(self.server.stop(), 0)
        shutil.copytree(self.path("log"), self.path("older"))
        self.server.start()
        self.fill(5)
        self.assertEqual(self.server.stop(), 0)
        shutil.rmtree(self.path("log"))
        os.rename(self.path("older"), self.path("log"))
        verified = bos("log", "verify", "--data", self.folder.data, check=False)
        self.assertEqual(verified.returncode, 1)
        self.assertIn("BROKEN", verified.stdout)
        self.refusal()
        bos("log", "accept-end", "--data", self.folder.data)
        bos("log", "verify", "--data", self.folder.data)
        self.assert_serves(self.leads)

    def test_a_log_that_was_cut(self):
        self.server.kill()
        os.rename(self.path("log"), self.path("whole"))
        wal = max((name for name in os.listdir(self.path("whole")) if name.endswith(".log")),
                  key=lambda name: os.path.getsize(self.path("whole", name)))
        size = os.path.getsize(self.path("whole", wal))
        for part in (0.9, 0.75, 0.5, 0.25, 0):
            shutil.copytree(self.path("whole"), self.path("log"))
            os.truncate(self.path("log", wal), int(size * part))
            self.assertIn("refused", self.refusal())
            shutil.rmtree(self.path("log"))
        os.rename(self.path("whole"), self.path("log"))
        self.assert_serves(self.leads)

    def test_views_follow_a_log_and_mark_restored_from_a_backup(self):
        """What the refusal tells to do, with views and keys that know of more than the log."""
        self.assertEqual(self.server.stop(), 0)
        os.mkdir(self.path("backup"))
        shutil.copytree(self.path("log"), self.path("backup", "log"))
        shutil.copy(self.path("log.mark"), self.path("backup", "log.mark"))
        self.server.start()
        gone = self.fill(5)
        self.assertEqual(self.server.stop(), 0)
        shutil.rmtree(self.path("log"))
        os.rename(self.path("backup", "log"), self.path("log"))
        os.replace(self.path("backup", "log.mark"), self.path("log.mark"))
        self.server.start()
        with self.server.client(self.key) as client:
            self.assertEqual(client.get(f"/v1/leads/{gone[0]}").status, 404, "a lead that is not in the log")
        new = self.fill(7)
        with self.server.client(self.key) as client:
            self.assertEqual({item["id"] for item in client.get("/v1/leads", limit=200).json["items"]}, set(self.leads + new))
        self.assertEqual(self.server.stop(), 0)
        kept = bos("views", "hash", "--data", self.folder.data).stdout
        bos("views", "rebuild", "--data", self.folder.data)
        self.assertEqual(bos("views", "hash", "--data", self.folder.data).stdout, kept)

    def test_views_that_were_deleted_or_damaged_are_built_again(self):
        self.assertEqual(self.server.stop(), 0)
        kept = bos("views", "hash", "--data", self.folder.data).stdout
        shutil.rmtree(self.path("views"))
        self.assertEqual(bos("views", "hash", "--data", self.folder.data).stdout, kept)
        for name in os.listdir(self.path("views")):
            if name.endswith(".sst") or name.startswith("MANIFEST"):
                with open(self.path("views", name), "r+b") as file:
                    file.write(b"\0" * 64)
        self.assert_serves(self.leads)
        self.assertEqual(bos("views", "hash", "--data", self.folder.data).stdout, kept)

    def test_a_folder_that_cannot_be_written(self):
        self.assertEqual(self.server.stop(), 0)
        os.rename(self.path("keys"), self.path("away"))
        with open(self.path("keys"), "w", encoding="ascii") as file:
            file.write("no folder")
        self.assertTrue(self.refusal())

    def test_a_master_key_that_is_gone(self):
        """Without it nobody can read what was sealed: a new one must not take its place in silence."""
        self.assertEqual(self.server.stop(), 0)
        os.rename(self.path("master.key"), self.path("away"))
        self.assertTrue(self.refusal())
        os.rename(self.path("away"), self.path("master.key"))
        self.assert_serves(self.leads)

    def test_a_port_that_is_taken(self):
        with Folder() as other:
            done = bos("serve", "--data", other.data, "--port", self.server.port, check=False)
        self.assertGreater(done.returncode, 0)
        self.assertRegex(done.stderr, r"(?m)^bos: .*" + str(self.server.port))


if __name__ == "__main__":
    main()
