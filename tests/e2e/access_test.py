"""Who may do and see what: roles, scopes, tenants, keys, and personal data that stays where it belongs."""
import json
import os
import random
import re
import shutil
import time
import unittest

import api_case
from api_case import DEFAULT_PIPELINE, ApiCase
from bos_process import Folder, Server, bos, in_parallel, kafka_options, log_word, main, new_id, records, wait_until

setUpModule = api_case.start_server
tearDownModule = api_case.stop_server

STAGE = {"key": "demo", "name": "Demo", "category": "ongoing"}


def commands_on(lead):
    """A request that is right in form for every command on a lead."""
    user = new_id()
    yield "PATCH", f"/v1/leads/{lead}", {"given_name": "Eve"}
    for word, body in (("assign", {"owner": user}), ("add-collaborator", {"user": user}), ("remove-collaborator", {"user": user}),
                       ("change-stage", {"stage": "nurture"}), ("qualify", {}), ("disqualify", {"lost_reason": "other"}),
                       ("recycle", {}), ("hold", {}), ("resume", {}), ("score", {"score": 1}), ("tag", {"tag": "x"}),
                       ("untag", {"tag": "x"}), ("log-activity", {"kind": "note"}),
                       ("schedule-activity", {"kind": "call", "due_at": "2030-01-01T00:00:00Z"}),
                       ("complete-activity", {"activity": new_id(), "direction": "inbound"}),
                       ("reschedule-activity", {"activity": new_id(), "due_at": "2030-01-01T00:00:00Z"}),
                       ("cancel-activity", {"activity": new_id()}), ("archive", {}), ("restore", {})):
        yield "POST", f"/v1/leads/{lead}/{word}", body


def commands_on_settings():
    yield "POST", "/v1/lead-pipelines", {"name": "P", "stages": [{"key": "a", "name": "A", "category": "open"},
                                                                 {"key": "z", "name": "Z", "category": "lost"}]}
    path = f"/v1/lead-pipelines/{DEFAULT_PIPELINE}"
    yield "POST", path + "/rename", {"name": "Q"}
    yield "POST", path + "/add-stage", {"stage": STAGE}
    yield "POST", path + "/change-stage", {"stage": {**STAGE, "name": "Show"}}
    yield "POST", path + "/reorder-stages", {"stages": []}
    yield "POST", path + "/retire-stage", {"stage": "nurture", "remap_to": "new"}
    yield "POST", "/v1/lead-reasons", {"reason": "r", "label": "R"}
    yield "POST", "/v1/lead-reasons/r/retire", {}


NOT_FOR_AGENTS = ("/assign", "/add-collaborator", "/remove-collaborator", "/archive", "/restore")


class Roles(ApiCase):
    def test_a_viewer_reads_and_writes_nothing(self):
        lead = self.capture()
        viewer = self.client("viewer")
        self.assertEqual(self.ids(viewer.get("/v1/leads")), [lead])
        for method, path, body in [("POST", "/v1/leads", {}), *commands_on(lead), *commands_on_settings()]:
            with self.subTest(path):
                self.problem(viewer.request(method, path, body), 403, "forbidden")
                self.problem(viewer.request(method, path + "?dry_run=true", body), 403, "forbidden")
        self.assertEqual(self.admin.get("/v1/leads").position, 1)

    def test_an_agent_works_on_leads_but_assigns_and_archives_none(self):
        agent, user = self.agent()
        lead = self.capture(owner=user)
        for method, path, body in commands_on(lead):
            with self.subTest(path):
                answer = agent.request(method, path + "?dry_run=true", body)
                if path.endswith(NOT_FOR_AGENTS):
                    self.problem(answer, 403, "forbidden")
                else:
                    allowed = answer.status in (200, 409) or answer.code == "activity_not_found"
                    self.assertTrue(allowed, answer)
        for method, path, body in commands_on_settings():
            with self.subTest(path):
                self.problem(agent.request(method, path, body), 403, "forbidden")
        self.ok(agent.get("/v1/lead-pipelines"))
        self.ok(agent.get("/v1/lead-reasons"))

    def test_managers_and_admins_may_do_everything_with_leads(self):
        lead = self.capture()
        for role in ("manager", "admin"):
            client = self.client(role)
            for method, path, body in [("POST", "/v1/leads", {}), *commands_on(lead), *commands_on_settings()]:
                with self.subTest(role=role, path=path):
                    self.assertNotIn(client.request(method, path + "?dry_run=true", body).status, (401, 403))

    def test_an_unknown_role_gets_no_key(self):
        done = bos("key", "create", "--data", api_case.server.data, "--tenant", "x", "--user", "u", "--role", "root", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, "")


class Scopes(ApiCase):
    def setUp(self):
        super().setUp()
        self.eve, self.user = self.agent()
        money = {"minor": 100, "currency": "EUR"}
        self.mine = self.capture(owner=self.user, given_name="Ada", emails=["ada@a.example"], expected_value=money, tags=["t"])
        self.shared = self.capture(owner=new_id(), collaborators=[self.user], given_name="Ada", expected_value=money, tags=["t"])
        self.hidden = self.capture(owner=new_id(), given_name="Ada", emails=["ada@a.example"], expected_value=money, tags=["t"])
        self.nobodys = self.capture(given_name="Ada", emails=["ada@a.example"], expected_value=money, tags=["t"])
        self.visible = {self.mine, self.shared}

    def test_an_agent_sees_in_every_list_only_what_is_assigned_to_it(self):
        for query in ({}, dict(limit=1), dict(sort="updated_at"), dict(sort="-expected_value"), dict(filter='given_name eq "Ada"'),
                      dict(filter='tags has_tag "t"'), dict(filter='not score gt 5'), dict(filter='stage ne "x"', limit=1)):
            with self.subTest(query):
                self.assertEqual({item["id"] for item in self.all_pages(self.eve, **query)}, self.visible)
                self.assertEqual(self.ok(self.eve.get("/v1/leads", count=True, **query))["count"], 2)
        self.assertEqual(self.ids(self.eve.get("/v1/leads", email="ada@a.example")), [self.mine])
        self.assertEqual(len(self.ids(self.admin.get("/v1/leads", email="ada@a.example"))), 3)
        self.assertEqual(self.ids(self.eve.get("/v1/leads", filter=f'id eq "{self.hidden}"')), [])

    def test_an_agents_board_counts_only_what_is_assigned_to_it(self):
        self.assertEqual(self.columns(self.eve), {"new": (2, {"EUR": 200})})
        self.assertEqual(self.columns(), {"new": (4, {"EUR": 400})})
        cards = self.all_pages(self.eve, "/v1/leads/board/new", "cards", limit=1)
        self.assertEqual({card["id"] for card in cards}, self.visible)
        self.contact(self.hidden)
        self.assertEqual(self.columns(self.eve), {"new": (2, {"EUR": 200})})
        steps = {step["stage"]: step["entered"] for step in self.ok(self.eve.get("/v1/leads/funnel"))["steps"]}
        self.assertEqual(steps["contacted"], 0)
        self.assertLessEqual(steps["new"], 2)

    def test_an_agent_loses_sight_of_what_it_loses(self):
        self.act(self.mine, "assign", {"owner": new_id()})
        self.act(self.shared, "remove-collaborator", {"user": self.user})
        self.assertEqual(self.ids(self.eve.get("/v1/leads")), [])
        self.assertEqual(self.columns(self.eve), {})
        for lead in (self.mine, self.shared):
            self.problem(self.eve.get(f"/v1/leads/{lead}"), 404, "not_found")
            self.problem(self.eve.get(f"/v1/leads/{lead}/timeline"), 404, "not_found")
            self.problem(self.eve.post(f"/v1/leads/{lead}/tag", {"tag": "x"}), 404, "lead_not_found")
        self.act(self.hidden, "assign", {"owner": self.user})
        self.assertEqual(self.ids(self.eve.get("/v1/leads")), [self.hidden])

    def test_the_past_is_seen_by_those_who_see_the_present(self):
        then = self.admin.get("/v1/leads").position
        everybody = self.columns(as_of=then)
        self.act(self.mine, "assign", {"owner": new_id()})
        self.act(self.shared, "remove-collaborator", {"user": self.user})
        self.act(self.hidden, "assign", {"owner": self.user})
        self.contact(self.hidden)
        for lead in (self.mine, self.shared):
            self.problem(self.eve.get(f"/v1/leads/{lead}", as_of=then), 404, "not_found")
            self.problem(self.eve.get(f"/v1/leads/{lead}/timeline", as_of=then), 404, "not_found")
        past = self.ok(self.eve.get(f"/v1/leads/{self.hidden}", as_of=then))
        self.assertEqual((past["stage"], past["version"]), ("new", 1))
        self.assertNotEqual(past.get("owner"), self.user)
        for query in ({}, dict(sort="updated_at"), dict(sort="-expected_value", limit=1), dict(filter='stage eq "new"')):
            answer = self.ok(self.eve.get("/v1/leads", as_of=then, count=True, **query))
            self.assertEqual(([item["id"] for item in answer["items"]], answer["count"]), ([self.hidden], 1), query)
        self.assertEqual(self.ids(self.eve.get("/v1/leads", as_of=then, email="ada@a.example")), [self.hidden])
        self.assertEqual(self.columns(self.eve, as_of=then), {"new": (1, {"EUR": 100})})
        self.assertEqual([card["id"] for card in self.ok(self.eve.get("/v1/leads/board/new", as_of=then))["cards"]], [self.hidden])
        self.assertEqual(self.columns(as_of=then), everybody)

    def test_the_past_obeys_the_scope(self):
        position = self.admin.get("/v1/leads").position
        self.assertEqual({item["id"] for item in self.all_pages(self.eve, as_of=position)}, self.visible)
        self.assertEqual(self.ids(self.eve.get("/v1/leads", as_of=2, email="ada@a.example")), [self.mine])
        self.assertEqual(self.columns(self.eve, as_of=position), {"new": (2, {"EUR": 200})})
        for path in (f"/v1/leads/{self.hidden}", f"/v1/leads/{self.hidden}/timeline"):
            for as_of in (position, 3, "2999-01-01T00:00:00Z"):
                self.problem(self.eve.get(path, as_of=as_of), 404, "not_found")

    def test_what_is_hidden_looks_like_what_is_not_there(self):
        unknown = new_id()
        for path in ("/v1/leads/{}", "/v1/leads/{}/timeline", "/v1/leads/{}?as_of=4", "/v1/leads/{}?min_position=1"):
            hidden, missing = (self.eve.get(path.format(lead)) for lead in (self.hidden, unknown))
            self.problem(hidden, 404, "not_found")
            self.assertEqual(hidden.body, missing.body, path)
        told_apart = []
        for (method, path, body), (_, missing_path, missing_body) in zip(commands_on(self.hidden), commands_on(unknown)):
            if path.endswith(NOT_FOR_AGENTS):
                continue
            for query in ("", "?dry_run=true"):
                for headers in ({}, {"If-Match": '"1"'}, {"If-Match": '"7"'}, {"If-Match": "*"}):
                    hidden = self.eve.request(method, path + query, body, headers)
                    missing = self.eve.request(method, missing_path + query, missing_body, headers)
                    self.problem(hidden, 404, "lead_not_found")
                    if hidden.body != missing.body:
                        told_apart.append((path.split("/")[-1] + query, headers, hidden, missing))
        self.assertEqual(told_apart[:3], [])
        self.assertEqual(self.lead(self.hidden)["version"], 1)

    def test_an_agent_cannot_see_or_change_by_a_key_of_another(self):
        self.admin.post(f"/v1/leads/{self.hidden}/tag", {"tag": "x"}, idempotency_key="theirs")
        answer = self.eve.post(f"/v1/leads/{self.hidden}/tag", {"tag": "x"}, idempotency_key="theirs")
        self.problem(answer, 422, "idempotency_mismatch")
        self.assertNotIn(self.hidden.encode(), answer.body)

    def test_an_agent_sees_its_archived_leads_and_no_others(self):
        then = self.admin.get("/v1/leads").position
        for lead in (self.mine, self.shared, self.hidden):
            self.act(lead, "archive")
        self.assertEqual(self.ids(self.eve.get("/v1/leads")), [])
        self.assertEqual(self.columns(self.eve), {})
        self.assertEqual({item["id"] for item in self.all_pages(self.eve, archived="true", limit=1)}, self.visible)
        self.assertEqual(self.ok(self.eve.get("/v1/leads", archived="true", count=True))["count"], 2)
        self.assertIn("archived_at", self.lead(self.mine, self.eve))
        self.problem(self.eve.get(f"/v1/leads/{self.hidden}"), 404, "not_found")
        # As it was then, of the leads that are the agent's today.
        self.assertEqual({item["id"] for item in self.all_pages(self.eve, as_of=then)}, self.visible)
        self.assertEqual(self.columns(self.eve, as_of=then), {"new": (2, {"EUR": 200})})
        now = self.admin.get("/v1/leads").position
        self.assertEqual(self.columns(self.eve, as_of=now), {})
        self.assertEqual({item["id"] for item in self.all_pages(self.eve, as_of=now, archived="true")}, self.visible)

    def test_an_agent_sees_what_is_to_be_done_on_its_leads_only(self):
        def due(**query):
            page = self.ok(self.eve.get("/v1/leads/activities", count=True, **query))
            self.assertEqual(page["count"], len(page["items"]))
            return [activity["id"] for activity in page["items"]]
        mine, shared, hidden, nobodys = (self.schedule(lead, f"2030-01-0{day}T00:00:00Z", assignee=self.user, subject="Plan")
                                         for day, lead in enumerate((self.mine, self.shared, self.hidden, self.nobodys), 1))
        unassigned = self.schedule(self.mine, "2030-01-05T00:00:00Z")
        self.schedule(self.shared, "2030-01-06T00:00:00Z", assignee=new_id())
        # To be the assignee gives no sight of a lead.
        self.assertEqual(due(assignee="me"), [mine, shared, unassigned])
        self.assertEqual(len(due()), 4)
        then = self.admin.get("/v1/leads").position
        self.act(self.mine, "assign", {"owner": new_id()})
        self.assertEqual(due(assignee="me"), [shared])
        self.act(self.hidden, "add-collaborator", {"user": self.user})
        self.assertEqual(due(assignee="me"), [shared, hidden])
        self.act(self.shared, "remove-collaborator", {"user": self.user})
        self.assertEqual(due(assignee="me"), [hidden])
        self.act(self.nobodys, "assign", {"owner": self.user})
        self.assertEqual(due(assignee="me"), [hidden, nobodys])
        # The past of what is the agent's today, also of what was done since.
        self.act(self.hidden, "complete-activity", {"activity": hidden, "direction": "internal"})
        self.act(self.nobodys, "archive")
        self.assertEqual((due(), due(as_of=then), due(as_of=then, due_before="2030-01-04T00:00:00Z")), ([], [hidden, nobodys], [hidden]))

    def test_random_assignments_never_show_more(self):
        dice = random.Random(11)
        holders = {self.mine: {self.user}, self.shared: {self.user}, self.hidden: set(), self.nobodys: set()}
        collaborating = {self.mine: False, self.shared: True, self.hidden: False, self.nobodys: False}
        owning = {self.mine: True, self.shared: False, self.hidden: False, self.nobodys: False}
        seen = []
        for _ in range(60):
            lead = dice.choice(list(holders))
            word = dice.choice(["assign", "assign-other", "add-collaborator", "remove-collaborator"])
            if word.startswith("assign"):
                owning[lead] = word == "assign"
                answer = self.act(lead, "assign", {"owner": self.user if owning[lead] else new_id()})
            else:
                collaborating[lead] = word == "add-collaborator"
                answer = self.act(lead, word, {"user": self.user})
            expected = {lead for lead in holders if owning[lead] or collaborating[lead]}
            seen.append(answer["position"])
            self.assertEqual(set(self.ids(self.eve.get("/v1/leads"))), expected)
            self.assertEqual(self.columns(self.eve), {"new": (len(expected), {"EUR": 100 * len(expected)})} if expected else {})
        # Who may look is a matter of today, whatever it was then.
        for position in seen:
            self.assertEqual(set(self.ids(self.eve.get("/v1/leads", as_of=position))), expected)
            self.assertEqual(self.columns(self.eve, as_of=position).get("new", (0,))[0], len(expected))


class Tenants(ApiCase):
    def test_tenants_share_nothing(self):
        other = self.client(tenant=self.tenant + "-b")
        mine = self.capture(given_name="Ada", emails=["same@address.example"], tags=["t"])
        pipeline = self.ok(self.admin.post("/v1/lead-pipelines", next(commands_on_settings())[2]), 201)["id"]
        theirs = self.capture(other, given_name="Bob", emails=["same@address.example"], tags=["t"])
        self.assertEqual(self.ids(self.admin.get("/v1/leads")), [mine])
        self.assertEqual(self.ids(other.get("/v1/leads", count=True)), [theirs])
        self.assertEqual(self.ids(other.get("/v1/leads", email="same@address.example")), [theirs])
        self.assertEqual(self.ids(other.get("/v1/leads", filter='tags has_tag "t"')), [theirs])
        self.assertEqual(self.columns(other)["new"][0], 1)
        self.assertEqual([item["id"] for item in self.ok(other.get("/v1/lead-pipelines"))["items"]], [DEFAULT_PIPELINE])
        self.assertEqual(self.lead(theirs, other)["lead_number"], 1)
        for path in (f"/v1/leads/{mine}", f"/v1/leads/{mine}/timeline", f"/v1/lead-pipelines/{pipeline}"):
            foreign, missing = other.get(path), other.get(re.sub(r"[0-9a-f-]{36}", new_id(), path))
            self.problem(foreign, 404, "not_found")
            self.assertEqual(foreign.body, missing.body)
        for method, path, body in commands_on(mine):
            with self.subTest(path):
                foreign = other.request(method, path, body)
                self.problem(foreign, 404, "lead_not_found")
                self.assertEqual(foreign.body, other.request(method, path.replace(mine, new_id()), body).body)
        self.problem(other.post("/v1/leads", {"pipeline": pipeline}), 404, "pipeline_not_found")
        self.assertEqual(self.lead(mine)["version"], 1)

    def test_the_tenant_comes_from_the_key_alone(self):
        self.capture()
        for name in ("X-Tenant", "Tenant", "X-Forwarded-User", "X-Tenant-Id"):
            self.assertEqual(len(self.ids(self.admin.get("/v1/leads", headers={name: "tenant-1"}))), 1)
        self.problem(self.admin.get("/v1/leads", tenant="tenant-1"), 400, "invalid_parameter")

    def test_positions_are_of_each_tenant(self):
        others = [self.client(tenant=f"{self.tenant}-{i}") for i in range(4)]

        def write(index):
            return [self.ok(others[index].post("/v1/leads", {}), 201)["position"] for _ in range(10)]
        for positions in in_parallel(4, write):
            self.assertEqual(positions, list(range(1, 11)))


    def test_the_first_requests_of_a_tenant_may_come_at_once(self):
        for round in range(10):
            key = api_case.server.key(f"{self.tenant}-first-{round}")

            def ask(index):
                with api_case.server.client(key) as client:
                    if index % 2:
                        return client.get("/v1/leads", count=True)
                    answer = client.post("/v1/leads", {"given_name": f"N{index}"})
                    read = client.get(f"/v1/leads/{answer.json['id']}", min_position=answer.position)
                    return read if answer.status == 201 else answer
            answers = in_parallel(16, ask)
            self.assertEqual({answer.status for answer in answers}, {200}, answers)
            self.assertEqual(sorted(answer.json["lead_number"] for answer in answers[::2]), list(range(1, 9)))
        self.assertNotIn("built anew", api_case.server.log())
        self.assertNotIn('"level":"error"', api_case.server.log())


class Views(ApiCase):
    def test_views_are_built_anew_while_they_are_read_and_written(self):
        leads = [self.capture(given_name=f"N{i}") for i in range(30)]
        for role in ("manager", "viewer", "agent"):
            client = self.client(role)
            self.problem(client.get("/v1/views"), 403, "forbidden")
            self.problem(client.post("/v1/views/rebuild"), 403, "forbidden")
        before = self.ok(self.admin.get("/v1/views"))
        self.assertEqual(before["position"], 30)
        self.assertGreaterEqual(len(before["views"]), 5)
        answer = self.admin.post("/v1/views/rebuild")
        self.assertEqual((answer.status, answer.json), (202, {"started": True}))

        def ended():
            leads.append(self.capture(given_name="meanwhile"))
            self.assertEqual(self.ok(self.admin.get("/v1/leads", count=True))["count"], len(leads))
            state = self.ok(self.admin.get("/v1/views"))["rebuild"]
            self.assertNotIn("failure", state)
            return not state["running"]
        wait_until(ended, 20, "the rebuild")
        self.assertEqual({item["id"] for item in self.all_pages(self.admin)}, set(leads))
        self.assertEqual(self.columns()["new"][0], len(leads))

    def test_the_command_line_asks_a_running_server(self):
        self.capture()
        done = bos("views", "rebuild", "--data", api_case.server.data, "--api-key", self.admin.key, "--port", api_case.server.port)
        self.assertIn("1 of 1", done.stderr)
        wrong = bos("views", "rebuild", "--api-key", self.client("agent").key, "--port", api_case.server.port, check=False)
        self.assertNotEqual(wrong.returncode, 0)
        self.assertRegex(wrong.stderr, r"^bos: \S")


class Keys(unittest.TestCase):
    """Wrong keys are counted against their address, so these have a server of their own."""

    def setUp(self):
        self.folder = Folder()
        self.addCleanup(self.folder.remove)
        self.server = Server(self.folder).start()
        self.addCleanup(self.server.kill)

    def test_a_revoked_key_ends_within_two_seconds(self):
        key = self.server.key("acme")
        other = self.server.key("acme")
        with self.server.client(key) as client, self.server.client(other) as kept:
            self.assertEqual(client.post("/v1/leads", {}).status, 201)
            key_id = key.split("_")[1]
            self.assertIn(key_id, bos("key", "list", "--data", self.server.data).stdout)
            bos("key", "revoke", "--data", self.server.data, key_id)
            start = time.monotonic()
            wait_until(lambda: client.get("/v1/leads").status == 401, 2, "the key's end")
            self.assertLess(time.monotonic() - start, 2)
            self.assertEqual(client.post("/v1/leads", {}).json["code"], "unauthenticated")
            self.assertEqual(kept.get("/v1/leads").status, 200)
            self.assertNotIn(key_id, bos("key", "list", "--data", self.server.data).stdout)

    def test_only_whole_keys_are_taken(self):
        key = self.server.key("acme")
        expired = bos("key", "create", "--data", self.server.data, "--tenant", "acme", "--user", "u", "--role", "admin",
                      "--expires", "2020-01-01T00:00:00Z").stdout.strip()
        prefix, key_id, secret = key.split("_", 2)
        wrong = ["Bearer " + text for text in (
            expired, key[:-1], key + "A", f"{prefix}_{key_id}_{secret[::-1]}", f"{prefix}_0000000000000000_{secret}", "x", "")]
        wrong += ["Basic " + key, key, "Bearer  " + key, "Bearer " + key + " x"]
        bodies = set()
        with self.server.client() as client:
            for header in wrong:
                with self.subTest(header[:20]):
                    answer = client.get("/v1/leads", headers={"Authorization": header})
                    self.assertEqual((answer.status, answer.code), (401, "unauthenticated"), answer)
                    self.assertIn("Bearer", answer.headers["WWW-Authenticate"])
                    bodies.add(answer.body)
            self.assertEqual(client.post("/v1/leads", {}, authorization="bearer " + key).status, 201)
        self.assertEqual(len(bodies), 1, "a wrong key is told from an unknown one")

    def test_wrong_keys_of_others_lock_nobody_out(self):
        """Behind a proxy or an office's router everybody has one address."""
        key = self.server.key("acme")
        with self.server.client(key) as client, self.server.client() as guessing:
            self.assertEqual(client.post("/v1/leads", {}).status, 201)
            limited = False
            for _ in range(40):
                limited = guessing.get("/v1/leads", headers={"Authorization": "Bearer bos_x"}).status == 429 or limited
            self.assertTrue(limited, "guessing is not slowed down")
            self.assertEqual(client.get("/v1/leads").status, 200)

    def test_a_key_is_nowhere_in_plain_text(self):
        key = self.server.key("acme")
        with self.server.client(key) as client:
            client.post("/v1/leads", {})
            client.get("/v1/leads", api_key=key)
        self.assertEqual(self.server.stop(), 0)
        secret = key.split("_", 2)[2].encode()
        self.assertEqual(files_with(self.folder.path, [secret]), {})
        name = "shared-credentials" if kafka_options(self.server.data) else "credentials.jsonl"
        self.assertEqual(os.stat(os.path.join(self.server.data, name)).st_mode & 0o077, 0)


def files_with(folder, texts):
    """Which files hold which of the texts."""
    found = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            if not os.path.isfile(path):
                continue  # a socket
            with open(path, "rb") as file:
                content = file.read()
            hits = [text for text in texts if text in content]
            if hits:
                found[path] = hits
    return found


class PersonalData(unittest.TestCase):
    maxDiff = None

    PERSONAL = {"given_name": "Quirinus-Canary", "family_name": "Canary-Oppenheim", "emails": ["canary.one@quirinus.example"],
                "phones": ["+4930987654321"], "description": "Canary description of a person"}
    NOTES = {"lost_note": "canary lost note", "subject": "canary subject", "body": "canary body text", "scheduled": "canary plan",
             "outcome": "canary outcome", "cancelled": "canary cancelled why"}

    def test_it_is_in_no_file_but_sealed(self):
        with Folder() as folder, Server(folder) as server:
            with server.client(server.key("acme", user="Canary Administrator")) as client:
                lead = client.post("/v1/leads", {**self.PERSONAL, "company_name": "Plain-Company-4711"},
                                   idempotency_key="one").json["id"]
                client.patch(f"/v1/leads/{lead}", {"given_name": "Second-Canary", "emails": ["canary.two@quirinus.example"]})
                client.post(f"/v1/leads/{lead}/log-activity", {"kind": "call", "direction": "outbound", "subject": self.NOTES["subject"],
                                                               "body": self.NOTES["body"]})
                for _ in range(3):
                    client.post(f"/v1/leads/{lead}/schedule-activity", {"kind": "call", "due_at": "2030-01-01T00:00:00Z",
                                                                        "subject": self.NOTES["scheduled"], "body": self.NOTES["body"]})
                one, two, _ = (activity["id"] for activity in client.get(f"/v1/leads/{lead}").json["open_activities"])
                for word, body in (("complete-activity", {"activity": one, "direction": "inbound", "outcome": self.NOTES["outcome"]}),
                                   ("cancel-activity", {"activity": two, "reason": self.NOTES["cancelled"]})):
                    self.assertEqual(client.post(f"/v1/leads/{lead}/{word}", body).status, 200)
                client.post(f"/v1/leads/{lead}/disqualify", {"lost_reason": "other", "lost_note": self.NOTES["lost_note"]})
                # What is looked for, refused or dry is written nowhere either.
                client.get("/v1/leads", email="canary.two@quirinus.example")
                client.get("/v1/leads", filter='given_name eq "Second-Canary"')
                client.post("/v1/leads?dry_run=true", {"given_name": "Dry-Canary"})
                client.post("/v1/leads", {"given_name": "Refused-Canary", "emails": ["Wrong-Canary"]})
                client.post("/v1/leads", {"given_name": "Mismatched-Canary"}, idempotency_key="one")
                self.assertEqual(client.get(f"/v1/leads/{lead}").json["given_name"], "Second-Canary")
                for _ in range(50):
                    client.post("/v1/leads", self.PERSONAL)
            dump = log_word("dump", folder.data)
            texts = [text.encode() for text in (
                *(value if isinstance(value, str) else value[0] for value in self.PERSONAL.values()), *self.NOTES.values(),
                "Second-Canary", "canary.two@", "Dry-Canary", "Refused-Canary", "Wrong-Canary", "Mismatched-Canary")]
            # Killed, it leaves everything in write-ahead files, which are not compressed.
            server.kill()
            self.assertEqual(files_with(folder.path, texts), {})
            for store in ("replica" if kafka_options(folder.data) else "log", "views"):
                known = files_with(os.path.join(folder.data, store), [b"Plain-Company-4711"])
                self.assertNotEqual(known, {}, f"the search finds nothing at all in {store}")
            server.start()
            self.assertEqual(server.stop(), 0)
            bos("views", "rebuild", "--data", folder.data)
            self.assertEqual(files_with(folder.path, texts), {})
            for text in texts:
                self.assertNotIn(text.decode(), dump)
            captured = [event for record in map(json.loads, dump.splitlines()) for event in record["events"]
                        if event["type"] == "leads.lead-captured.v1"][0]["data"]
            for name in self.PERSONAL:
                self.assertRegex(str(captured[name]), r"^[•.…]+$")
            self.assertEqual(captured["company_name"], "Plain-Company-4711")


class DamagedLogs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Folder()
        cls.addClassCleanup(cls.folder.remove)
        with Server(cls.folder) as server:
            with server.client(server.key("acme")) as client:
                for i in range(200):
                    client.post("/v1/leads", {"company_name": f"Flip-Me-{i}", "given_name": "Ada"})
            assert server.stop() == 0

    def test_a_whole_log_verifies(self):
        done = bos("log", "verify", "--data", self.folder.data)
        self.assertRegex(done.stdout, r"^acme: 200 records, \d+ bytes, head [0-9a-f]{64}\n$")
        self.assertEqual(len(records(self.folder.data)), 200)

    def test_a_flipped_byte_is_found_or_changes_nothing(self):
        dice = random.Random(3)
        truth = bos("log", "dump", "--data", self.folder.data).stdout
        found = tried = 0
        names = [name for name in os.listdir(os.path.join(self.folder.data, "log"))
                 if name.endswith((".sst", ".log")) or name.startswith("MANIFEST")]
        for name in names:
            size = os.path.getsize(os.path.join(self.folder.data, "log", name))
            for _ in range(8 if size else 0):
                place = dice.randrange(size)
                with self.subTest(file=name, byte=place), Folder() as copy:
                    shutil.copytree(self.folder.data, copy.data)
                    with open(os.path.join(copy.data, "log", name), "r+b") as file:
                        file.seek(place)
                        byte = file.read(1)[0]
                        file.seek(place)
                        file.write(bytes([byte ^ (1 << dice.randrange(8))]))
                    tried += 1
                    if self.is_refused(copy):
                        found += 1
                        continue
                    self.assertEqual(bos("log", "dump", "--data", copy.data).stdout, truth)
        self.assertGreater(tried, 0)
        self.assertGreater(found, tried // 2, "hardly any damage was noticed")

    def is_refused(self, folder):
        """verify and serve must agree that the log is whole, or one of them tells what is wrong."""
        verified = bos("log", "verify", "--data", folder.data, check=False)
        if verified.returncode != 0:
            self.assertTrue(verified.stderr.strip() or "BROKEN" in verified.stdout)
            return True
        try:
            with Server(folder) as server:
                return server.stop() != 0
        except AssertionError as refused:
            self.assertIn("bos:", str(refused))
            return True


if __name__ == "__main__":
    main()
