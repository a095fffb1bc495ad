"""A server that all tests of a script share, and a tenant for each test."""
import itertools
import unittest

from bos_process import Folder, Server, new_id

DEFAULT_PIPELINE = "00000000-0000-7000-8000-000000000001"

folder = None
server = None
_tenants = itertools.count(1)


def start_server():
    global folder, server
    folder = Folder()
    unittest.addModuleCleanup(folder.remove)
    server = Server(folder)
    unittest.addModuleCleanup(server.kill)
    server.start()


def stop_server():
    code = server.stop()
    assert code == 0, f"exit code {code}: {server.log()}"


class ApiCase(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.tenant = f"tenant-{next(_tenants)}"
        self._clients = []
        self.admin = self.client()

    def tearDown(self):
        for client in self._clients:
            client.close()

    def client(self, role="admin", tenant=None, user_id=None):
        """A client with a key of its own."""
        return self.another(server.key(tenant or self.tenant, role, user_id=user_id))

    def another(self, key):
        """One more connection with a key."""
        client = server.client(key)
        self._clients.append(client)
        return client

    def agent(self):
        """A client of an agent, and the agent's user id."""
        user = new_id()
        return self.client("agent", user_id=user), user

    def ok(self, answer, status=200):
        self.assertEqual(answer.status, status, answer)
        return answer.json

    def problem(self, answer, status, code, pointer=None):
        """Checks what every problem must have, and returns it."""
        self.assertEqual(answer.status, status, answer)
        self.assertEqual(answer.headers["Content-Type"], "application/problem+json")
        problem = answer.json
        self.assertEqual(problem["code"], code, answer)
        self.assertEqual(problem["status"], status)
        self.assertEqual(problem["type"], "urn:bos:problem:" + code)
        self.assertTrue(problem["title"])
        if pointer is not None:
            self.assertIn(pointer, [error["pointer"] for error in problem["errors"]], answer)
        if status in (429, 503):
            self.assertIn("Retry-After", answer.headers)
        return problem

    def capture(self, client=None, **fields):
        """Takes in a lead and returns its id."""
        return self.ok((client or self.admin).post("/v1/leads", fields), 201)["id"]

    def act(self, lead, word, body=None, client=None, **headers):
        return self.ok((client or self.admin).post(f"/v1/leads/{lead}/{word}", body, **headers))

    def lead(self, lead, client=None, **query):
        return self.ok((client or self.admin).get(f"/v1/leads/{lead}", **query))

    def contact(self, lead):
        """The first outbound activity moves a new lead to contacted."""
        return self.act(lead, "log-activity", {"kind": "call", "direction": "outbound"})

    def schedule(self, lead, due_at, client=None, **fields):
        """Schedules a call and returns the activity's id."""
        before = {activity["id"] for activity in self.lead(lead)["open_activities"]}
        self.act(lead, "schedule-activity", {"kind": "call", "due_at": due_at, **fields}, client)
        after = {activity["id"] for activity in self.lead(lead)["open_activities"]}
        (scheduled,) = after - before
        return scheduled

    def ids(self, answer):
        return [item["id"] for item in self.ok(answer)["items"]]

    def all_pages(self, client, path="/v1/leads", items="items", between=None, **query):
        """Follows `next` to the end; `between` is called before each page but the first."""
        found = []
        cursor = {}
        while True:
            page = self.ok(client.get(path, **query, **cursor))
            found += page[items]
            if "next" not in page:
                return found
            cursor = {"cursor": page["next"]}
            if between:
                between()

    def columns(self, client=None, **query):
        """Of the board: stage to (count, sums by currency)."""
        board = self.ok((client or self.admin).get("/v1/leads/board", **query))
        return {column["stage"]: (column["lead_count"], {sum["currency"]: sum["minor"] for sum in column["sums"]})
                for column in board["columns"] if column["lead_count"]}
