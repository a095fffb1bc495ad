"""A data folder with one bit turned or one file cut is refused with a word that helps, or answers as before.

Nothing in between: an answer that differs from that of the whole folder is a failure, whatever else the server says.
A trial is made of its number alone: BOS_DAMAGE_FIRST=N BOS_DAMAGES=1 repeats trial N, BOS_DAMAGES sets how many.
"""
import collections
import concurrent.futures
import contextlib
import os
import random
import shutil
import subprocess
import unittest

from bos_process import Folder, Server, log_word, main, records, wait_until

TRIALS = int(os.environ.get("BOS_DAMAGES", "500"))
FIRST = int(os.environ.get("BOS_DAMAGE_FIRST", "0"))
LEADS = 40

# Kinds of files, each as likely to be damaged as the next, whatever its size.
KINDS = {
    "log WAL": lambda path: path.startswith("log/") and path.endswith(".log"),
    "log SST": lambda path: path.startswith("log/") and path.endswith(".sst"),
    "log manifest": lambda path: path.startswith(("log/MANIFEST", "log/CURRENT")),
    "log mark": lambda path: path == "log.mark",
    "keys WAL": lambda path: path.startswith("keys/") and path.endswith(".log"),
    "keys SST": lambda path: path.startswith("keys/") and path.endswith(".sst"),
    "keys manifest": lambda path: path.startswith(("keys/MANIFEST", "keys/CURRENT")),
    "keys mark": lambda path: path == "keys/MARK",
    "master key": lambda path: path == "master.key",
    "API keys": lambda path: path == "credentials.jsonl",
    "views WAL": lambda path: path.startswith("views/") and path.endswith(".log"),
    "views SST": lambda path: path.startswith("views/") and path.endswith(".sst"),
    "views manifest": lambda path: path.startswith(("views/MANIFEST", "views/CURRENT")),
    "options": lambda path: "/OPTIONS" in path,
}


def files_in(folder):
    """Those that are not empty, by their paths in the folder."""
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if os.path.getsize(path) > 0:
                found.append(os.path.relpath(path, folder))
    return sorted(found)


def damage(path, draw):
    """Says what was done."""
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        if draw.random() < 0.25:
            left = draw.randrange(size)
            file.truncate(left)
            return f"cut at {left} of {size}"
        at, bit = draw.randrange(size), draw.randrange(8)
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << bit)]))
        return f"bit {bit} of byte {at} of {size}"


def marked(data):
    """The newest record that the log's mark tells of (docs/formats.md)."""
    with open(os.path.join(data, "log.mark"), "rb") as file:
        mark = file.read()
    return max(int.from_bytes(mark[at + 16:at + 24], "big") for at in (0, 4096) if len(mark) > at + 24)


def difference(answer, told):
    """Where two texts part."""
    at = next((i for i, (one, other) in enumerate(zip(answer, told)) if one != other), min(len(answer), len(told)))
    return f"{answer[max(at - 100, 0):at + 150]} and not {told[max(at - 100, 0):at + 150]}"


class Damage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Folder()
        cls.addClassCleanup(cls.folder.remove)
        server = Server(cls.folder).start()
        cls.addClassCleanup(server.kill)
        cls.key = server.key("acme")
        cls.fill(server, range(LEADS // 2))
        # What is there so far goes into tables, what comes stays in the write-ahead logs.
        assert server.stop() == 0, server.log()
        server.start()
        cls.fill(server, range(LEADS // 2, LEADS))
        cls.whole = cls.folder.data
        # The last record's mark is written beside its answer.
        written = len(records(cls.whole))
        wait_until(lambda: marked(cls.whole) == written, what="the mark of the last record")
        server.kill()
        os.remove(os.path.join(cls.whole, "control.sock"))  # of the process that is gone; it cannot be copied
        cls.kinds = {kind: [path for path in files_in(cls.whole) if is_of(path)] for kind, is_of in KINDS.items()}
        cls.dump = log_word("dump", cls.whole)
        cls.end = len(records(cls.whole))
        copy, _ = cls.copy()
        with copy, Server(copy) as server:
            cls.told = cls.answers(server)

    @classmethod
    def fill(cls, server, numbers):
        with server.client(cls.key) as client:
            for number in numbers:
                made = client.post("/v1/leads", {"given_name": f"Ada {number}", "emails": [f"ada{number}@example.org"]})
                assert made.status == 201, made
                tagged = client.post(f"/v1/leads/{made.json['id']}/tag", {"tag": f"t{number}"})
                assert tagged.status == 200, tagged

    @classmethod
    def copy(cls):
        copy = Folder()
        shutil.copytree(cls.whole, copy.data)
        return copy, copy.data

    @classmethod
    def answers(cls, server):
        """What clients see, now and in the past."""
        with server.client(cls.key) as client:
            asked = ["/v1/leads?limit=200", "/v1/leads/board"]
            asked += [f"/v1/leads?limit=200&as_of={position}" for position in (1, cls.end // 3, cls.end - 1)]
            return [(path, client.get(path)) for path in asked]

    def test_damage_is_told_or_harmless(self):
        for kind, files in self.kinds.items():
            self.assertTrue(files or kind.endswith("WAL"), f"no file is a {kind}")
        outcomes = collections.Counter()
        wrong = []
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for number, done, outcome, failure in pool.map(self.trial, range(FIRST, FIRST + TRIALS)):
                outcomes[outcome] += 1
                if failure:
                    wrong.append(f"{number}: {done}: {failure}")
        for outcome, count in sorted(outcomes.items()):
            print(f"{count:6} {outcome}", flush=True)
        self.assertEqual(wrong, [], "\n".join(wrong))

    def trial(self, number):
        draw = random.Random(number)
        kind = draw.choice([kind for kind, files in self.kinds.items() if files])
        path = draw.choice(self.kinds[kind])
        copy, data = self.copy()
        with copy:
            done = f"{path}, {damage(os.path.join(data, path), draw)}"
            outcome, failure = self.outcome(copy)
        return number, done, f"{kind}: {outcome}", failure

    def outcome(self, copy):
        server = Server(copy)
        try:
            server.start()
        except AssertionError:
            return "refused", self.complaint(server)
        try:
            answers = self.answers(server)
        except OSError as gone:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.process.wait(10)
            server.kill()
            return "ended", self.stopped_by_itself(server, copy, str(gone))
        finally:
            # It may have ended by itself since the last answer.
            stopped = server.stop() if server.process.poll() is None else server.process.returncode
        if stopped != 0:
            return "ended", self.stopped_by_itself(server, copy, f"exit code {stopped}")
        refused = [answer for _, answer in answers if answer.status != 200]
        for (path, answer), (_, told) in zip(answers, self.told):
            if answer.status == 200 and answer.body != told.body:
                return "wrong", f"{path} {difference(answer.body, told.body)}"
        if refused:
            if any(answer.status < 500 and answer.status != 401 for answer in refused):
                return "wrong", f"{refused[0]}"
            said = [line for line in server.log().splitlines() if '"level":"error"' in line or "passed over" in line]
            return f"answers {refused[0].status}", None if said else "answers with an error that the log does not explain"
        if log_word("dump", copy.data) != self.dump:
            return "wrong", "the log is another"
        return "harmless", None

    def stopped_by_itself(self, server, copy, how):
        """What is wrong with a server that stopped by itself: it says why, and what comes next."""
        said = server.log()
        if "FATAL" in said:
            return None
        if server.process.returncode != 74 or "bos: fatal: " not in said:
            return f"gone without a word: {how}: {said[-2000:]}"
        if "built anew when it is started again" not in said:
            return None
        with Server(copy) as again:
            for (path, answer), (_, told) in zip(self.answers(again), self.told):
                if (answer.status, answer.body) != (told.status, told.body):
                    return f"not built anew: {path} {answer.status} {difference(answer.body, told.body)}"
        return None

    def complaint(self, server):
        """What is wrong with the way in which a server refused to start."""
        if server.process.returncode < 0:
            return f"ended by signal {-server.process.returncode}: {server.log()[-2000:]}"
        said = [line for line in server.log().splitlines() if line.startswith("bos: ")]
        if not said or len(said[-1]) < 20:
            return f"does not say why: {server.log()[-1000:]}"
        return None


if __name__ == "__main__":
    main()
