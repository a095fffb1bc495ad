"""The HTTP interface of the built binary: every route, what it promises and what it refuses."""
import datetime
import json
import random
import re
import threading
import unittest

import api_case
from api_case import DEFAULT_PIPELINE, ApiCase
from bos_process import in_parallel, main, new_id, records, wait_until

setUpModule = api_case.start_server
tearDownModule = api_case.stop_server


def instant(seconds_from_now=0):
    time = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds_from_now)
    return time.isoformat().replace("+00:00", "Z")


def euro(amount):
    return {"minor": amount, "currency": "EUR"}


EVERY_FIELD = {
    "given_name": "Zoë", "family_name": "O'Brien-Łukasz", "company_name": "Kestrel Air", "job_title": "CTO",
    "emails": ["zoe@kestrel.example", "z.obrien@kestrel.example"], "phones": ["+4930123456"],
    "description": "Zeile eins\nZeile zwei \"quoted\" \\ 日本語 🚀", "source": "web", "utm_source": "search",
    "utm_medium": "cpc", "utm_campaign": "spring", "campaign": "Spring 2026", "territory": "DACH", "team": "north",
    "rating": "hot", "expected_value": {"minor": 123456, "currency": "CHF"}, "communication_status": "awaiting_reply",
    "next_action_at": "2030-01-31T08:15:00.000000Z",
    "consents": [{"purpose": "sales contact", "basis": "legitimate_interest", "at": "2026-01-31T08:15:00.250000Z"}],
}


class Leads(ApiCase):
    def test_a_captured_lead_is_answered_with_where_it_is(self):
        answer = self.admin.post("/v1/leads", {"given_name": "Ada"})
        body = self.ok(answer, 201)
        self.assertEqual(body, {"position": 1, "id": body["id"], "version": 1, "changed": True})
        self.assertEqual(answer.headers["Location"], "/v1/leads/" + body["id"])
        self.assertEqual(answer.headers["ETag"], '"1"')
        self.assertEqual(answer.position, 1)
        read = self.admin.get(answer.headers["Location"])
        self.assertEqual(self.ok(read)["given_name"], "Ada")
        self.assertEqual(read.headers["ETag"], '"1"')
        self.assertEqual(read.position, 1)

    def test_every_field_comes_back_as_it_was_typed(self):
        users = [new_id(), new_id()]
        lead = self.lead(self.capture(**EVERY_FIELD, owner=users[0], collaborators=users, tags=["vip", "vip", "pilot"]))
        self.assertEqual({name: lead[name] for name in EVERY_FIELD}, EVERY_FIELD)
        self.assertEqual(lead["owner"], users[0])
        self.assertEqual(lead["collaborators"], users)
        self.assertEqual(lead["tags"], ["vip", "pilot"])
        self.assertEqual((lead["stage"], lead["category"], lead["score"]), ("new", "open", 0))

    def test_times_are_understood_with_any_offset(self):
        lead = self.lead(self.capture(next_action_at="2030-01-31T09:15:00.5+01:00"))
        self.assertEqual(lead["next_action_at"], "2030-01-31T08:15:00.500000Z")

    def test_lead_numbers_count_from_one_without_gaps(self):
        in_parallel(4, lambda _: [self.capture(self.another(self.admin.key)) for _ in range(5)])
        self.problem(self.admin.post("/v1/leads", {"stage": "qualified"}), 409, "wrong_category", "/stage")
        numbers = sorted(item["lead_number"] for item in self.ok(self.admin.get("/v1/leads"))["items"])
        self.assertEqual(numbers, list(range(1, 21)))

    def test_a_patch_changes_what_it_names_and_null_empties(self):
        lead = self.capture(**EVERY_FIELD)
        change = {"given_name": "Zoe", "phones": None, "rating": None, "expected_value": euro(5), "team": None}
        answer = self.ok(self.admin.patch(f"/v1/leads/{lead}", change))
        self.assertEqual((answer["version"], answer["changed"]), (2, True))
        expected = {**EVERY_FIELD, **{name: value for name, value in change.items() if value is not None}}
        for name in ("phones", "rating", "team"):
            del expected[name]
        after = self.lead(lead)
        self.assertEqual({name: after[name] for name in EVERY_FIELD if name in after}, expected)

    def test_a_patch_that_changes_nothing_writes_nothing(self):
        lead = self.capture(**EVERY_FIELD)
        for change in ({}, {"given_name": EVERY_FIELD["given_name"]}, {"emails": EVERY_FIELD["emails"], "rating": "hot"}):
            answer = self.ok(self.admin.patch(f"/v1/leads/{lead}", change))
            self.assertEqual((answer["version"], answer["changed"], answer["position"]), (1, False, 1))
        other = self.capture()
        self.assertFalse(self.ok(self.admin.patch(f"/v1/leads/{other}", {"given_name": None, "emails": []}))["changed"])

    def test_assign_and_collaborators(self):
        lead = self.capture()
        user, helper = new_id(), new_id()
        self.act(lead, "assign", {"owner": user})
        self.assertEqual(self.lead(lead)["owner"], user)
        self.assertFalse(self.act(lead, "assign", {"owner": user})["changed"])
        self.act(lead, "add-collaborator", {"user": helper})
        self.assertFalse(self.act(lead, "add-collaborator", {"user": helper})["changed"])
        self.assertEqual(self.lead(lead)["collaborators"], [helper])
        self.act(lead, "remove-collaborator", {"user": helper})
        self.assertEqual(self.lead(lead)["collaborators"], [])
        self.act(lead, "assign", {})
        self.assertNotIn("owner", self.lead(lead))

    def test_a_lead_moves_forward_when_it_may(self):
        lead = self.capture()
        self.problem(self.admin.post(f"/v1/leads/{lead}/qualify"), 409, "exit_criteria_not_met")
        self.problem(self.admin.post(f"/v1/leads/{lead}/change-stage", {"stage": "qualified"}), 409,
                     "exit_criteria_not_met", "/stage")
        self.contact(lead)
        self.assertEqual(self.lead(lead)["stage"], "contacted")
        self.act(lead, "qualify")
        self.assertEqual(self.lead(lead)["stage"], "qualified")
        self.problem(self.admin.post(f"/v1/leads/{lead}/qualify"), 409, "lead_already_qualified")
        self.act(lead, "change-stage", {"stage": "new"})
        self.act(lead, "change-stage", {"stage": "converted"})
        self.assertEqual(self.lead(lead)["category"], "won")
        self.problem(self.admin.post(f"/v1/leads/{lead}/hold"), 409, "lead_won")
        self.problem(self.admin.post(f"/v1/leads/{lead}/disqualify", {"lost_reason": "other"}), 409, "lead_won")
        self.problem(self.admin.post(f"/v1/leads/{lead}/change-stage", {"stage": "nowhere"}), 409, "stage_not_found")
        self.problem(self.admin.post(f"/v1/leads/{lead}/change-stage", {"stage": "on_hold"}), 409, "use_hold")
        self.problem(self.admin.post(f"/v1/leads/{lead}/change-stage", {"stage": "disqualified"}), 409,
                     "lost_reason_required")

    def test_exit_criteria_are_overridden_with_a_reason_by_who_may(self):
        agent, user = self.agent()
        lead = self.capture(owner=user)
        move = {"stage": "converted", "override_reason": "signed at the fair"}
        self.problem(agent.post(f"/v1/leads/{lead}/change-stage", move), 403, "override_not_permitted")
        self.act(lead, "change-stage", move, client=self.client("manager"))
        last = self.ok(self.admin.get(f"/v1/leads/{lead}/timeline", limit=1))["items"][0]["data"]
        self.assertEqual((last["overridden"], last["override_reason"]), (True, "signed at the fair"))

    def test_disqualify_and_recycle(self):
        lead = self.capture()
        self.problem(self.admin.post(f"/v1/leads/{lead}/disqualify", {}), 422, "invalid_fields", "/lost_reason")
        self.problem(self.admin.post(f"/v1/leads/{lead}/disqualify", {"lost_reason": "x"}), 404, "reason_not_found")
        self.problem(self.admin.post(f"/v1/leads/{lead}/recycle"), 409, "lead_not_disqualified")
        self.act(lead, "score", {"score": 40, "score_reasons": ["visited twice"]})
        self.act(lead, "disqualify", {"lost_reason": "no_budget", "lost_note": "next year perhaps"})
        lost = self.lead(lead)
        self.assertEqual((lost["category"], lost["lost_reason"], lost["lost_note"]),
                         ("lost", "no_budget", "next year perhaps"))
        self.problem(self.admin.post(f"/v1/leads/{lead}/qualify"), 409, "lead_disqualified")
        self.act(lead, "recycle", {"stage": "nurture"})
        back = self.lead(lead)
        self.assertEqual((back["stage"], back["score"], back["score_reasons"]), ("nurture", 0, []))
        self.assertNotIn("lost_reason", back)
        self.assertNotIn("lost_note", back)

    def test_hold_and_resume(self):
        lead = self.capture()
        self.contact(lead)
        self.problem(self.admin.post(f"/v1/leads/{lead}/resume"), 409, "lead_not_on_hold")
        self.problem(self.admin.post(f"/v1/leads/{lead}/hold", {"held_until": instant(-5)}), 409, "time_not_in_future")
        self.act(lead, "hold", {"held_until": "2040-01-01T00:00:00Z"})
        held = self.lead(lead)
        self.assertEqual((held["stage"], held["held_until"]), ("on_hold", "2040-01-01T00:00:00.000000Z"))
        self.problem(self.admin.post(f"/v1/leads/{lead}/qualify"), 409, "lead_on_hold")
        self.act(lead, "hold")
        self.assertNotIn("held_until", self.lead(lead))
        self.act(lead, "resume")
        self.assertEqual(self.lead(lead)["stage"], "contacted")

    def test_a_hold_ends_by_itself_at_its_time(self):
        lead = self.capture()
        self.contact(lead)
        until = instant(1)
        self.act(lead, "hold", {"held_until": until})
        wait_until(lambda: self.lead(lead)["stage"] == "contacted", 10, "the timer")
        entry = self.ok(self.admin.get(f"/v1/leads/{lead}/timeline", limit=1))["items"][0]
        self.assertEqual(entry["type"], "leads.lead-resumed.v1")
        self.assertTrue(entry["data"]["automatic"])
        self.assertGreaterEqual(entry["at"], until)
        self.assertEqual(records(api_case.server.data, entry["position"], self.tenant)[0]["actor"]["kind"], "system")

    def test_a_moved_hold_does_not_end_at_its_former_time(self):
        early, late = self.capture(), self.capture()
        self.act(early, "hold", {"held_until": instant(0.7)})
        self.act(late, "hold", {"held_until": instant(0.7)})
        self.act(late, "hold", {"held_until": "2040-01-01T00:00:00Z"})
        wait_until(lambda: self.lead(early)["stage"] == "new", 10, "the timer")
        self.assertEqual(self.lead(late)["stage"], "on_hold")

    def test_no_client_can_take_the_key_of_a_timer(self):
        lead = self.capture()
        self.admin.post(f"/v1/leads/{lead}/tag", {"tag": "x"}, idempotency_key=f"timer:leads.hold:{lead}:1")
        self.act(lead, "hold", {"held_until": instant(0.5)})
        wait_until(lambda: self.lead(lead)["stage"] == "new", 10, "the timer")

    def test_scores_tags_and_activities(self):
        lead = self.capture()
        self.act(lead, "score", {"score": -1000, "score_reasons": ["bounced"]})
        self.assertEqual(self.lead(lead)["score_reasons"], ["bounced"])
        self.act(lead, "tag", {"tag": "größer/als~"})
        self.act(lead, "tag", {"tag": "vip"})
        self.assertFalse(self.act(lead, "tag", {"tag": "vip"})["changed"])
        self.act(lead, "untag", {"tag": "vip"})
        self.assertFalse(self.act(lead, "untag", {"tag": "vip"})["changed"])
        self.assertEqual(self.lead(lead)["tags"], ["größer/als~"])
        self.act(lead, "log-activity", {"kind": "note", "body": "a note is no contact"})
        self.assertNotIn("last_contact_at", self.lead(lead))
        self.problem(self.admin.post(f"/v1/leads/{lead}/log-activity", {"kind": "call", "occurred_at": instant(3600)}),
                     409, "time_in_future", "/occurred_at")
        self.act(lead, "log-activity", {"kind": "meeting", "direction": "inbound", "occurred_at": "2026-02-03T04:05:06Z",
                                        "subject": "At their office", "body": "long", "duration_minutes": 90})
        after = self.lead(lead)
        self.assertEqual((after["activity_count"], after["last_contact_at"], after["stage"]),
                         (2, "2026-02-03T04:05:06.000000Z", "new"))

    def test_a_scheduled_activity_is_shown_until_it_is_done(self):
        lead, user = self.capture(next_action_at="2031-01-01T00:00:00Z"), new_id()
        self.assertEqual(self.lead(lead)["open_activities"], [])
        late = self.schedule(lead, "2030-02-01T00:00:00Z", kind="meeting", subject="Demo – größer", body="long", assignee=user)
        soon = self.schedule(lead, "2030-01-01T00:00:00Z")
        shown = self.lead(lead)
        self.assertEqual(shown["open_activities"], [
            {"id": soon, "kind": "call", "due_at": "2030-01-01T00:00:00.000000Z"},
            {"id": late, "kind": "meeting", "due_at": "2030-02-01T00:00:00.000000Z", "subject": "Demo – größer", "assignee": user}])
        self.assertEqual((shown["next_activity_at"], shown["next_action_at"], shown["activity_count"]),
                         ("2030-01-01T00:00:00.000000Z", "2031-01-01T00:00:00.000000Z", 0))
        self.assertEqual(self.card(lead)["next_activity_at"], "2030-01-01T00:00:00.000000Z")
        self.act(lead, "reschedule-activity", {"activity": soon, "due_at": "2030-03-01T00:00:00Z"})
        self.assertFalse(self.act(lead, "reschedule-activity", {"activity": soon, "due_at": "2030-03-01T00:00:00Z"})["changed"])
        self.assertEqual([activity["id"] for activity in self.lead(lead)["open_activities"]], [late, soon])
        self.assertEqual(self.card(lead)["next_activity_at"], "2030-02-01T00:00:00.000000Z")
        self.act(lead, "cancel-activity", {"activity": late, "reason": "They are away"})
        self.act(lead, "complete-activity", {"activity": soon, "direction": "outbound", "outcome": "Wants an offer",
                                             "occurred_at": "2026-02-03T04:05:06Z", "duration_minutes": 5})
        done = self.lead(lead)
        self.assertEqual((done["open_activities"], done["stage"], done["activity_count"], done["last_contact_at"]),
                         ([], "contacted", 1, "2026-02-03T04:05:06.000000Z"))
        self.assertNotIn("next_activity_at", done)
        self.assertNotIn("next_activity_at", self.card(lead))
        self.assertEqual([entry["type"] for entry in self.ok(self.admin.get(f"/v1/leads/{lead}/timeline", limit=3))["items"]],
                         ["leads.lead-stage-changed.v1", "leads.activity-completed.v1", "leads.activity-cancelled.v1"])

    def card(self, lead):
        stage = self.lead(lead)["stage"]
        return next(card for card in self.all_pages(self.admin, f"/v1/leads/board/{stage}", "cards") if card["id"] == lead)

    def due(self, client=None, **query):
        """The activities of the day, page by page, and the same counted."""
        client = client or self.admin
        found = self.all_pages(client, "/v1/leads/activities", limit=2, **query)
        self.assertEqual(self.ok(client.get("/v1/leads/activities", count=True, **query))["count"], len(found))
        self.assertEqual([activity["due_at"] for activity in found], sorted(activity["due_at"] for activity in found))
        return [activity["id"] for activity in found]

    def test_the_day_of_a_person_comes_first_due_first(self):
        ann, ben = new_id(), new_id()
        one = self.capture(given_name="Ada", company_name="Kestrel", owner=ann)
        two = self.capture(given_name="Bob")
        c = self.schedule(one, "2030-01-03T00:00:00Z", subject="Third")
        a = self.schedule(two, "2020-01-01T00:00:00Z", assignee=ann)
        d = self.schedule(one, "2030-01-04T00:00:00Z", assignee=ben)
        b = self.schedule(two, "2030-01-02T00:00:00Z")
        me = self.client("manager", user_id=ann)
        self.assertEqual(self.due(), [a, b, c, d])
        self.assertEqual((self.due(assignee=ann), self.due(me, assignee="me"), self.due(assignee=ben)), ([a, c], [a, c], [d]))
        self.assertEqual((self.due(due_before="2030-01-03T00:00:00Z"), self.due(due_before="2030-01-03T00:00:00.000001Z")),
                         ([a, b], [a, b, c]))
        self.assertEqual(self.due(assignee=ann, due_before="2030-01-01T00:00:00Z"), [a])
        item = self.ok(self.admin.get("/v1/leads/activities", assignee=ann))["items"][1]
        self.assertEqual(item, {"id": c, "kind": "call", "due_at": "2030-01-03T00:00:00.000000Z", "subject": "Third", "lead": one,
                                "lead_number": 1, "given_name": "Ada", "company_name": "Kestrel", "owner": ann})
        then = self.admin.get("/v1/leads").position
        self.act(one, "reschedule-activity", {"activity": c, "due_at": "2020-01-01T00:00:00Z"})
        self.act(two, "complete-activity", {"activity": a, "direction": "inbound"})
        self.act(one, "assign", {"owner": ben})
        self.assertEqual((self.due(), self.due(assignee=ann), self.due(assignee=ben)), ([c, b, d], [], [c, d]))
        self.act(one, "archive")
        self.assertEqual(self.due(), [b])
        self.act(one, "restore")
        self.assertEqual((self.due(), self.due(as_of=then), self.due(as_of=then, assignee=ann)), ([c, b, d], [a, b, c, d], [a, c]))
        for query in (dict(assignee="you"), dict(assignee=""), dict(due_before="today"), dict(limit=201), dict(sort="due_at")):
            self.problem(self.admin.get("/v1/leads/activities", **query), 400, "invalid_parameter")
        cursor = self.ok(self.admin.get("/v1/leads/activities", limit=1))["next"]
        self.problem(self.admin.get("/v1/leads/activities", limit=1, cursor=cursor, assignee=ann), 400, "invalid_parameter")
        self.problem(self.admin.get("/v1/leads/activities", limit=1, cursor=cursor, due_before=instant()), 400, "invalid_parameter")

    def test_only_an_open_activity_is_closed_or_moved(self):
        lead = self.capture()
        activity = self.schedule(lead, "2020-01-01T00:00:00Z")  # overdue from the start
        self.act(lead, "cancel-activity", {"activity": activity})
        for known, status, code in ((activity, 409, "activity_not_open"), (new_id(), 404, "activity_not_found")):
            for word, body in (("complete-activity", {"direction": "inbound"}), ("cancel-activity", {}),
                               ("reschedule-activity", {"due_at": "2030-01-01T00:00:00Z"})):
                self.problem(self.admin.post(f"/v1/leads/{lead}/{word}", {"activity": known, **body}), status, code, "/activity")
        for word, body, pointer in (("schedule-activity", {"kind": "call"}, "/due_at"),
                                    ("schedule-activity", {"due_at": instant()}, "/kind"),
                                    ("complete-activity", {"activity": activity}, "/direction"),
                                    ("complete-activity", {"direction": "inbound"}, "/activity")):
            self.problem(self.admin.post(f"/v1/leads/{lead}/{word}", body), 422, "invalid_fields", pointer)

    def test_an_activity_too_many_is_refused(self):
        lead = self.capture()
        for _ in range(50):
            self.act(lead, "schedule-activity", {"kind": "note", "due_at": "2030-01-01T00:00:00Z"})
        self.problem(self.admin.post(f"/v1/leads/{lead}/schedule-activity", {"kind": "note", "due_at": instant()}), 409, "too_many")

    def test_what_is_scheduled_outlives_a_loss_and_a_recycling(self):
        lead = self.capture()
        activity = self.schedule(lead, "2030-01-01T00:00:00Z")
        self.act(lead, "disqualify", {"lost_reason": "no_budget"})
        self.assertEqual(self.lead(lead)["open_activities"][0]["id"], activity)
        self.act(lead, "recycle")
        self.act(lead, "complete-activity", {"activity": activity, "direction": "outbound"})
        self.assertEqual(self.lead(lead)["stage"], "contacted")

    def test_an_archived_lead_is_read_only_and_comes_back_as_it_was(self):
        lead = self.capture(given_name="Ada", tags=["vip"])
        activity = self.schedule(lead, "2030-01-01T00:00:00Z")
        before = self.lead(lead)
        self.act(lead, "archive")
        self.assertFalse(self.act(lead, "archive")["changed"])
        put_away = self.lead(lead)
        self.assertIn("archived_at", put_away)
        for word, body in (("tag", {"tag": "vip"}), ("change-stage", {"stage": "nurture"}), ("assign", {}), ("hold", {}), ("resume", {}),
                           ("disqualify", {"lost_reason": "other"}), ("log-activity", {"kind": "call", "direction": "outbound"}),
                           ("cancel-activity", {"activity": activity}), ("schedule-activity", {"kind": "note", "due_at": instant()})):
            self.problem(self.admin.post(f"/v1/leads/{lead}/{word}", body), 409, "lead_archived")
        self.problem(self.admin.patch(f"/v1/leads/{lead}", {"given_name": "Eve"}), 409, "lead_archived")
        self.act(lead, "log-activity", {"kind": "note", "body": "They asked about us"})
        self.act(lead, "restore")
        self.assertFalse(self.act(lead, "restore")["changed"])
        after = self.lead(lead)
        changed = {"activity_count": 1, "version": before["version"] + 3, "updated_at": after["updated_at"]}
        self.assertEqual(after, {**before, **changed})
        self.assertEqual([entry["type"] for entry in self.ok(self.admin.get(f"/v1/leads/{lead}/timeline", limit=3))["items"]],
                         ["leads.lead-restored.v1", "leads.activity-logged.v1", "leads.lead-archived.v1"])

    def test_the_hold_of_an_archived_lead_ends_when_it_is_restored(self):
        lead, other = self.capture(), self.capture()
        self.act(lead, "hold", {"held_until": instant(0.7)})
        self.act(other, "hold", {"held_until": instant(0.7)})
        self.act(lead, "archive")
        wait_until(lambda: self.lead(other)["stage"] == "new", 10, "the timer")
        held = self.lead(lead)
        self.assertEqual(held["stage"], "on_hold")
        self.act(lead, "restore")
        self.assertEqual(self.lead(lead)["held_until"], held["held_until"])
        wait_until(lambda: self.lead(lead)["stage"] == "new", 10, "the timer of the restored lead")

    def test_a_tag_too_many_is_refused(self):
        lead = self.capture(tags=[f"t{i}" for i in range(50)])
        self.problem(self.admin.post(f"/v1/leads/{lead}/tag", {"tag": "one more"}), 409, "too_many", "/tag")

    def test_what_is_not_there_is_not_found(self):
        self.capture()
        unknown = new_id()
        for answer in (self.admin.get(f"/v1/leads/{unknown}"), self.admin.get(f"/v1/leads/{unknown}/timeline"),
                       self.admin.get("/v1/leads/no-id"), self.admin.get(f"/v1/lead-pipelines/{unknown}"),
                       self.admin.get("/v1/leads/board/nowhere"), self.admin.get("/v1/leads/board", pipeline=unknown),
                       self.admin.get("/v1/leads/funnel", pipeline=unknown), self.admin.post("/v1/leads/no-id/qualify")):
            self.problem(answer, 404, "not_found")
        self.problem(self.admin.post(f"/v1/leads/{unknown}/qualify"), 404, "lead_not_found")
        self.problem(self.admin.patch(f"/v1/leads/{unknown}", {}), 404, "lead_not_found")
        self.problem(self.admin.post("/v1/leads", {"pipeline": unknown}), 404, "pipeline_not_found")
        self.problem(self.admin.post(f"/v1/lead-pipelines/{unknown}/rename", {"name": "x"}), 404, "pipeline_not_found")

    def test_the_timeline_tells_everything_newest_first(self):
        lead = self.capture(given_name="Ada")
        for i in range(6):
            self.act(lead, "tag", {"tag": f"t{i}"})
        self.contact(lead)
        timeline = self.all_pages(self.admin, f"/v1/leads/{lead}/timeline", limit=3)
        self.assertEqual([entry["version"] for entry in timeline], list(range(9, 0, -1)))
        self.assertEqual([entry["type"] for entry in timeline[:2]] + [timeline[-1]["type"]],
                         ["leads.lead-stage-changed.v1", "leads.activity-logged.v1", "leads.lead-captured.v1"])
        self.assertEqual(timeline[0]["position"], timeline[1]["position"])
        self.assertEqual(timeline[-1]["data"]["given_name"], "Ada")


class Pipelines(ApiCase):
    STAGES = [
        {"key": "in", "name": "In", "category": "open",
         "exit": {"required_fields": ["company_name"], "min_score": 10, "outbound_activity": False}},
        {"key": "try", "name": "Try", "category": "ongoing", "milestone": "contacted"},
        {"key": "good", "name": "Good", "category": "ongoing", "milestone": "qualified"},
        {"key": "won", "name": "Won", "category": "won"}, {"key": "lost", "name": "Lost", "category": "lost"},
    ]

    def define(self, **changes):
        answer = self.admin.post("/v1/lead-pipelines", {"name": "Partners", "stages": self.STAGES, **changes})
        return self.ok(answer, 201)["id"]

    def stages(self, pipeline):
        return self.ok(self.admin.get(f"/v1/lead-pipelines/{pipeline}"))["stages"]

    def test_a_pipeline_is_defined_listed_and_renamed(self):
        pipeline = self.define()
        self.assertEqual([item["id"] for item in self.ok(self.admin.get("/v1/lead-pipelines"))["items"]], [pipeline])
        self.ok(self.admin.post(f"/v1/lead-pipelines/{pipeline}/rename", {"name": "Resellers"}))
        answer = self.admin.get(f"/v1/lead-pipelines/{pipeline}")
        self.assertEqual(self.ok(answer)["name"], "Resellers")
        self.assertEqual(answer.headers["ETag"], '"2"')
        self.assertEqual([stage["key"] for stage in self.stages(pipeline)], ["in", "try", "good", "won", "lost"])
        self.capture()
        self.assertEqual({item["id"] for item in self.ok(self.admin.get("/v1/lead-pipelines"))["items"]},
                         {pipeline, DEFAULT_PIPELINE})

    def test_a_pipeline_must_be_complete(self):
        def refuse(status, code, pointer, **changes):
            self.problem(self.admin.post("/v1/lead-pipelines", {"name": "P", "stages": self.STAGES, **changes}),
                         status, code, pointer)
        refuse(422, "pipeline_incomplete", "/stages", stages=self.STAGES[:4])
        refuse(422, "pipeline_incomplete", "/stages", stages=self.STAGES[1:])
        refuse(422, "pipeline_incomplete", "/stages", stages=[])
        refuse(422, "stage_key_not_unique", "/stages/5/key", stages=self.STAGES + self.STAGES[:1])
        refuse(422, "field_not_known", "/stages/0/exit/required_fields/0",
               stages=[{**self.STAGES[0], "exit": {"required_fields": ["shoe_size"]}}, self.STAGES[4]])
        refuse(422, "invalid_fields", "/stages/0/key", stages=[{**self.STAGES[0], "key": "No Slug"}])
        refuse(422, "invalid_fields", "/stages/0/category", stages=[{"key": "a", "name": "A"}])

    def test_exit_criteria_of_a_stage_hold(self):
        lead = self.capture(pipeline=self.define())
        self.problem(self.admin.post(f"/v1/leads/{lead}/qualify"), 409, "exit_criteria_not_met")
        self.ok(self.admin.patch(f"/v1/leads/{lead}", {"company_name": "Kestrel"}))
        self.problem(self.admin.post(f"/v1/leads/{lead}/qualify"), 409, "exit_criteria_not_met")
        self.act(lead, "score", {"score": 10})
        self.act(lead, "qualify")
        self.assertEqual(self.lead(lead)["stage"], "good")
        self.problem(self.admin.post(f"/v1/leads/{lead}/hold"), 409, "category_missing")

    def test_stages_are_added_changed_and_put_in_order(self):
        pipeline = self.define()
        path = f"/v1/lead-pipelines/{pipeline}"
        stage = {"key": "demo", "name": "Demo", "category": "ongoing"}
        self.ok(self.admin.post(path + "/add-stage", {"stage": stage, "before": "good"}))
        self.problem(self.admin.post(path + "/add-stage", {"stage": stage}), 409, "stage_key_taken", "/stage/key")
        self.ok(self.admin.post(path + "/change-stage", {"stage": {**stage, "name": "Show"}}))
        self.problem(self.admin.post(path + "/change-stage", {"stage": {**stage, "category": "won"}}), 409, "category_fixed")
        order = ["in", "demo", "try", "good", "lost", "won"]
        self.problem(self.admin.post(path + "/reorder-stages", {"stages": order[:-1]}), 409, "stages_not_a_permutation")
        self.problem(self.admin.post(path + "/reorder-stages", {"stages": order[::-1]}), 409, "first_stage_not_open")
        self.ok(self.admin.post(path + "/reorder-stages", {"stages": order}))
        self.assertEqual([(stage["key"], stage["name"]) for stage in self.stages(pipeline)][:3],
                         [("in", "In"), ("demo", "Show"), ("try", "Try")])

    def test_leads_of_a_retired_stage_stand_in_another(self):
        pipeline = self.define()
        path = f"/v1/lead-pipelines/{pipeline}"
        moved = self.capture(pipeline=pipeline, company_name="K", expected_value=euro(7))
        self.act(moved, "score", {"score": 10})
        self.act(moved, "change-stage", {"stage": "try"})
        before = self.admin.get(f"/v1/leads/{moved}").position
        for remap in ("won", "try", "nowhere"):
            self.problem(self.admin.post(path + "/retire-stage", {"stage": "try", "remap_to": remap}), 409, "bad_remap")
        self.ok(self.admin.post(path + "/retire-stage", {"stage": "try", "remap_to": "good"}))
        self.assertEqual(self.lead(moved)["stage"], "good")
        self.assertEqual(self.lead(moved, as_of=before)["stage"], "try")
        self.assertEqual(self.columns(pipeline=pipeline), {"good": (1, {"EUR": 7})})
        self.assertEqual(self.columns(pipeline=pipeline, as_of=before), {"try": (1, {"EUR": 7})})
        self.assertEqual(self.ids(self.admin.get("/v1/leads", filter='stage eq "good"')), [moved])
        self.problem(self.admin.post(f"/v1/leads/{moved}/change-stage", {"stage": "try"}), 409, "stage_retired")
        steps = {step["stage"]: step for step in self.ok(self.admin.get("/v1/leads/funnel", pipeline=pipeline))["steps"]}
        self.assertEqual((steps["good"]["entered"], steps["in"]["left"]), (1, 1))
        self.assertNotIn("try", steps)
        self.act(moved, "change-stage", {"stage": "won"})
        self.assertEqual(self.lead(moved)["stage"], "won")

    def test_reasons_are_defined_and_retired(self):
        self.ok(self.admin.post("/v1/lead-reasons", {"reason": "moved_away", "label": "Moved away"}))
        self.assertFalse(self.ok(self.admin.post("/v1/lead-reasons", {"reason": "moved_away", "label": "Moved away"}))["changed"])
        self.ok(self.admin.post("/v1/lead-reasons", {"reason": "moved_away", "label": "Moved"}))
        lead = self.capture()
        self.act(lead, "disqualify", {"lost_reason": "moved_away"})
        self.ok(self.admin.post("/v1/lead-reasons/moved_away/retire"))
        self.problem(self.admin.post("/v1/lead-reasons/never/retire"), 404, "reason_not_found")
        self.assertEqual(self.lead(lead)["lost_reason"], "moved_away")
        self.assertIn({"reason": "moved_away", "label": "Moved", "retired": True},
                      self.ok(self.admin.get("/v1/lead-reasons"))["items"])
        other = self.capture()
        self.problem(self.admin.post(f"/v1/leads/{other}/disqualify", {"lost_reason": "moved_away"}), 409, "reason_retired")


class Lists(ApiCase):
    def fill(self):
        """Leads by the letter that they are called in the tests."""
        me = new_id()
        self.me = self.client("viewer", user_id=me)
        many = {
            "a": dict(given_name="Ada", company_name="Alder Logistics", tags=["vip"], rating="hot", expected_value=euro(100)),
            "b": dict(given_name="Ben", company_name="Birch \"B\" \\ Dental", tags=["vip", "pilot"], rating="cold",
                      expected_value=euro(300), emails=["ben@birch.example"], owner=me),
            "c": dict(given_name="Chiara", company_name="alder foods", expected_value={"minor": 200, "currency": "USD"}),
            "d": dict(family_name="Ada", source="web", next_action_at="2026-03-01T00:00:00Z", owner=new_id()),
            "e": dict(given_name="Elif", source="referral", next_action_at="2026-04-01T00:00:00Z", tags=["pilot"]),
        }
        self.leads = {letter: self.capture(**fields) for letter, fields in many.items()}
        self.act(self.leads["a"], "score", {"score": 50})
        self.act(self.leads["b"], "score", {"score": -5})
        self.contact(self.leads["e"])
        self.letters = {lead: letter for letter, lead in self.leads.items()}

    def found(self, client=None, **query):
        return "".join(self.letters[lead] for lead in self.ids((client or self.me).get("/v1/leads", **query)))

    def test_filters(self):
        self.fill()
        table = {
            'stage eq "new"': "abcd", 'stage ne "new"': "e", 'stage in ("new", "contacted")': "abcde",
            'stage nin ("new")': "e", 'category eq "ongoing"': "e", 'score gt 0': "a", 'score ge 0': "acde", 'score lt 0': "b",
            'score le -5': "b", 'score between -5 and 0': "bcde", 'expected_value.minor ge 200': "bc",
            'expected_value.currency eq "USD"': "c", 'expected_value.minor is_null': "de", 'not expected_value.minor is_null': "abc",
            'company_name starts "ALDER"': "ac", 'company_name ends "Logistics"': "a", 'company_name contains "er f"': "c",
            'company_name eq "Birch \\"B\\" \\\\ Dental"': "b", 'tags has_tag "vip"': "ab",
            'tags has_tag "vip" and tags has_tag "pilot"': "b", 'not tags has_tag "vip"': "cde", 'rating eq "hot"': "a",
            'rating is_null': "cde", 'rating in ("hot", "cold")': "ab", 'owner eq me': "b", 'owner is_null': "ace",
            'given_name eq "Ada"': "a", 'family_name eq "Ada"': "d", 'emails eq "ben@birch.example"': "b",
            'next_action_at lt "2026-03-15T00:00:00Z"': "d",
            'next_action_at between "2026-03-01T00:00:00Z" and "2026-04-01T00:00:00Z"': "de", 'created_at within last 7d': "abcde",
            'created_at within today': "abcde", 'last_contact_at within last 1h': "e",
            'stage eq "new" and (score gt 0 or tags has_tag "pilot")': "ab", 'score gt 0 or score lt 0 and rating eq "hot"': "a",
            'lead_number le 2': "ab", f'id eq "{self.leads["c"]}"': "c", 'source in ("web","referral")': "de",
            '(((score gt 0)))': "a", 'not (score gt 0 or score lt 0)': "cde", 'activity_count gt 0': "e", '': "abcde",
        }
        for text, letters in table.items():
            with self.subTest(text):
                self.assertEqual("".join(sorted(self.found(filter=text))), letters)
                page = self.ok(self.me.get("/v1/leads", filter=text, count=True, limit=1))
                self.assertEqual((page["count"], page["count_capped"]), (len(letters), False))

    def test_what_is_no_filter_is_refused(self):
        self.fill()
        for text in ('stage', 'stage eq', 'stage eq new', 'stage eq "new', 'shoe_size eq 4', 'stage eq "new" and', '(stage eq "new"',
                     'stage eq "new")', 'score eq "high"', 'stage gt 5', 'rating eq "boiling"', 'given_name contains "A"',
                     'given_name lt "B"', 'score within last 7d', 'tags has_tag 5', 'created_at within last 7y', 'owner eq "x"',
                     'not', 'expected_value gt 5', 'created_at gt "yesterday"', 'score eq 99999999999999999999',
                     ' and '.join(['score eq 1'] * 65), '(' * 40 + 'score eq 1' + ')' * 40, "stage eq 'new'", 'x' * 4097):
            with self.subTest(text[:60]):
                self.problem(self.me.get("/v1/leads", filter=text), 400, "invalid_parameter")

    def test_sorts(self):
        self.fill()
        self.assertEqual(self.found(), "edcba")
        self.assertEqual(self.found(sort="created_at"), "abcde")
        self.assertEqual(self.found(sort="-updated_at"), "ebadc")
        self.assertEqual(self.found(sort="-expected_value", filter='expected_value.currency eq "EUR"'), "ba")
        self.assertEqual(self.found(sort="expected_value", filter='expected_value.currency eq "EUR"'), "ab")
        both = [self.found(sort=sort) for sort in ("expected_value", "-expected_value")]
        self.assertEqual(sorted(both[0]), sorted(both[1]))
        for sort in ("score", "--created_at", "created_at desc", "-", "id"):
            self.problem(self.me.get("/v1/leads", sort=sort), 400, "invalid_parameter")

    def test_the_parameters_of_a_page_have_bounds(self):
        self.fill()
        for query in (dict(limit=0), dict(limit=201), dict(limit="ten"), dict(limit=-1), dict(limit="1.0"), dict(count="yes"),
                      dict(cursor="x"), dict(cursor="A" * 100), dict(offset=3), dict(Limit=3)):
            with self.subTest(query):
                self.problem(self.me.get("/v1/leads", **query), 400, "invalid_parameter")
        self.assertEqual(self.me.get("/v1/leads?limit=1&limit=2").status, 400)
        self.assertEqual(len(self.found(limit=200)), 5)

    def test_archived_leads_are_in_a_list_of_their_own(self):
        self.fill()
        position = self.admin.get("/v1/leads").position
        self.act(self.leads["b"], "archive")
        self.act(self.leads["d"], "archive")
        for query, letters in ((dict(), "eca"), (dict(archived="false", sort="created_at"), "ace"), (dict(archived="true"), "db"),
                               (dict(archived="true", sort="-expected_value"), "bd"), (dict(archived="true", limit=1), "d"),
                               (dict(archived="true", filter='owner eq me'), "b"), (dict(filter='owner eq me'), ""),
                               (dict(filter='not archived_at is_null'), ""), (dict(as_of=position), "edcba"),
                               (dict(as_of=position, archived="true"), ""), (dict(email="ben@birch.example"), "b")):
            with self.subTest(query):
                self.assertEqual(self.found(**query), letters)
        self.assertEqual(self.ok(self.me.get("/v1/leads", archived="true", count=True, limit=1))["count"], 2)
        pages = self.all_pages(self.me, archived="true", limit=1)
        self.assertEqual("".join(self.letters[lead["id"]] for lead in pages), "db")
        cursor = self.ok(self.me.get("/v1/leads", limit=1, archived="true"))["next"]
        self.problem(self.me.get("/v1/leads", limit=1, cursor=cursor), 400, "invalid_parameter")
        self.problem(self.me.get("/v1/leads", email="ben@birch.example", archived="true"), 400, "invalid_parameter")
        self.problem(self.me.get("/v1/leads", archived="some"), 400, "invalid_parameter")
        self.act(self.leads["b"], "restore")
        self.assertEqual((self.found(), self.found(archived="true")), ("ecba", "d"))

    def test_leads_are_found_by_their_address(self):
        self.fill()
        other = self.capture(emails=["x@y.example", "BEN@birch.example"])
        self.letters[other] = "o"
        self.assertEqual(self.found(email="Ben@Birch.EXAMPLE"), "ob")
        self.assertEqual(self.found(email="nobody@birch.example"), "")
        self.problem(self.me.get("/v1/leads", email="ben@birch.example", sort="created_at"), 400, "invalid_parameter")
        position = self.admin.get("/v1/leads").position
        self.ok(self.admin.patch(f"/v1/leads/{other}", {"emails": ["new@birch.example"]}))
        self.assertEqual(self.found(email="ben@birch.example"), "b")
        self.assertEqual(self.found(email="new@birch.example"), "o")
        self.assertEqual(self.found(email="ben@birch.example", as_of=position), "ob")

    def test_pages_neither_skip_nor_repeat_while_others_write(self):
        before = [self.capture(expected_value=euro(random.randrange(10))) for _ in range(60)]
        ended = threading.Event()

        def insert(_):
            client = self.another(self.admin.key)
            while not ended.is_set():
                self.capture(client, expected_value=euro(random.randrange(10)))
        inserting = threading.Thread(target=lambda: in_parallel(3, insert))
        inserting.start()
        try:
            for sort in ("created_at", "-created_at", "expected_value", "-expected_value"):
                for limit in (1, 7):
                    if limit == 1 and not sort.startswith("-created"):
                        continue
                    with self.subTest(sort=sort, limit=limit):
                        # Oldest first runs after a moving end: it is over when a page is not full.
                        ids = []
                        cursor = {}
                        for _ in range(3000):
                            page = self.ok(self.admin.get("/v1/leads", sort=sort, limit=limit, **cursor))
                            ids += [item["id"] for item in page["items"]]
                            if "next" not in page or (set(before) <= set(ids) and sort == "created_at"):
                                break
                            cursor = {"cursor": page["next"]}
                        self.assertEqual(len(ids), len(set(ids)), "a lead came twice")
                        self.assertEqual(set(before) - set(ids), set(), "a lead was skipped")
        finally:
            ended.set()
            inserting.join()

    def test_pages_of_the_past_are_one_cut(self):
        self.fill()
        position = self.admin.get("/v1/leads").position

        def write():
            self.capture()
            self.act(self.leads["a"], "tag", {"tag": new_id()})
        for sort in ("created_at", "-updated_at"):
            pages = self.all_pages(self.admin, limit=2, sort=sort, as_of=position, between=write)
            self.assertEqual(sorted(self.letters[item["id"]] for item in pages), list("abcde"))
            self.assertTrue(all(item["version"] < 4 for item in pages))

    def test_a_cursor_belongs_to_its_query(self):
        self.fill()
        cursor = self.ok(self.admin.get("/v1/leads", limit=2))["next"]
        self.assertEqual(self.found(self.admin, limit=3, cursor=cursor), "cba")
        self.problem(self.admin.get("/v1/leads", limit=2, cursor=cursor, sort="created_at"), 400, "invalid_parameter")
        self.problem(self.admin.get("/v1/leads", limit=2, cursor=cursor, filter='score gt 0'), 400, "invalid_parameter")
        self.problem(self.admin.get("/v1/leads/board/new", cursor=cursor), 400, "invalid_parameter")
        other = "B" if cursor[-1] != "B" else "C"
        for broken in (cursor[:-1], cursor[:-1] + other, other + cursor[1:], cursor + other):
            self.problem(self.admin.get("/v1/leads", limit=2, cursor=broken), 400, "invalid_parameter")
        elsewhere = self.client(tenant=self.tenant + "-other")
        self.capture(elsewhere)
        self.problem(elsewhere.get("/v1/leads", limit=2, cursor=cursor), 400, "invalid_parameter")


class Board(ApiCase):
    def test_counts_and_sums_follow_every_change(self):
        one = self.capture(expected_value=euro(100))
        two = self.capture(expected_value=euro(50))
        usd = self.capture(expected_value={"minor": 7, "currency": "USD"})
        self.capture()
        self.assertEqual(self.columns(), {"new": (4, {"EUR": 150, "USD": 7})})
        self.contact(one)
        self.assertEqual(self.columns(), {"new": (3, {"EUR": 50, "USD": 7}), "contacted": (1, {"EUR": 100})})
        self.ok(self.admin.patch(f"/v1/leads/{one}", {"expected_value": {"minor": 9, "currency": "USD"}}))
        self.ok(self.admin.patch(f"/v1/leads/{two}", {"expected_value": None}))
        self.assertEqual(self.columns(), {"new": (3, {"USD": 7}), "contacted": (1, {"USD": 9})})
        self.act(usd, "disqualify", {"lost_reason": "other"})
        self.assertEqual(self.columns(),
                         {"new": (2, {}), "contacted": (1, {"USD": 9}), "disqualified": (1, {"USD": 7})})

    def test_archived_leads_leave_the_board_and_stay_in_the_funnel(self):
        one, two = self.capture(expected_value=euro(100)), self.capture(expected_value=euro(50))
        funnel = self.ok(self.admin.get("/v1/leads/funnel"))["steps"]
        position = self.admin.get("/v1/leads").position
        self.act(one, "archive")
        self.assertEqual(self.columns(), {"new": (1, {"EUR": 50})})
        self.assertEqual([card["id"] for card in self.ok(self.admin.get("/v1/leads/board/new"))["cards"]], [two])
        self.assertEqual(self.columns(as_of=position), {"new": (2, {"EUR": 150})})
        self.act(two, "archive")
        self.assertEqual(self.columns(), {})
        self.assertEqual(self.ok(self.admin.get("/v1/leads/funnel"))["steps"], funnel)
        self.act(one, "restore")
        self.assertEqual(self.columns(), {"new": (1, {"EUR": 100})})
        (card,) = self.ok(self.admin.get("/v1/leads/board/new"))["cards"]
        self.assertEqual((card["id"], "archived_at" in card), (one, False))

    def test_leads_of_a_retired_stage_are_moved_in_the_archive_too(self):
        lead = self.capture()
        self.contact(lead)
        self.act(lead, "archive")
        path = f"/v1/lead-pipelines/{DEFAULT_PIPELINE}"
        self.ok(self.admin.post(path + "/retire-stage", {"stage": "contacted", "remap_to": "qualified"}))
        self.assertEqual((self.lead(lead)["stage"], self.columns()), ("qualified", {}))
        self.act(lead, "restore")
        self.assertEqual(self.columns(), {"qualified": (1, {})})

    def test_the_board_adds_up_to_what_the_list_tells(self):
        agent, user = self.agent()
        dice = random.Random(7)
        leads = [self.capture(expected_value={"minor": dice.randrange(-50, 500), "currency": dice.choice(["EUR", "USD"])},
                              owner=dice.choice([user, new_id()])) for _ in range(25)]
        for _ in range(120):
            lead = dice.choice(leads)
            word, body = dice.choice([
                ("assign", {"owner": user}), ("assign", {}), ("add-collaborator", {"user": user}),
                ("remove-collaborator", {"user": user}), ("hold", {}), ("resume", {}), ("qualify", {}),
                ("log-activity", {"kind": "call", "direction": "outbound"}), ("disqualify", {"lost_reason": "other"}),
                ("recycle", {}), ("archive", {}), ("restore", {}), ("restore", {}), ("change-stage", {"stage": "new"}), ("change-stage", {"stage": "nurture"})])
            self.assertIn(self.admin.post(f"/v1/leads/{lead}/{word}", body).status, (200, 409))
        for client in (self.admin, agent):
            expected = {}
            for lead in self.all_pages(client, limit=9):
                count, sums = expected.get(lead["stage"], (0, {}))
                money = lead["expected_value"]
                sums[money["currency"]] = sums.get(money["currency"], 0) + money["minor"]
                expected[lead["stage"]] = (count + 1, sums)
            expected = {stage: (count, {name: sum for name, sum in sums.items() if sum}) for stage, (count, sums) in expected.items()}
            self.assertEqual(self.columns(client), expected)
            for stage, (count, _) in expected.items():
                cards = self.all_pages(client, f"/v1/leads/board/{stage}", "cards", limit=4)
                self.assertEqual(len({card["id"] for card in cards}), count)
                self.assertTrue(all(card["stage"] == stage for card in cards))

    def test_cards_of_a_column_come_newest_first_and_page_by_page(self):
        leads = [self.capture(given_name=f"N{i}") for i in range(9)]
        board = self.ok(self.admin.get("/v1/leads/board", cards=4))
        column = board["columns"][0]
        self.assertEqual([card["id"] for card in column["cards"]], leads[:4:-1])
        rest = self.ok(self.admin.get("/v1/leads/board/new", cursor=column["next"], limit=200))
        self.assertEqual([card["id"] for card in rest["cards"]], leads[4::-1])
        self.assertNotIn("next", rest)
        self.assertEqual(rest["cards"][0]["given_name"], "N4")
        self.assertTrue(all(not column["cards"] for column in self.ok(self.admin.get("/v1/leads/board", cards=0))["columns"]))
        for cards in (101, -1, "x"):
            self.problem(self.admin.get("/v1/leads/board", cards=cards), 400, "invalid_parameter")

    def test_the_funnel_counts_stays(self):
        for _ in range(3):
            lead = self.capture()
        self.contact(lead)
        self.act(lead, "change-stage", {"stage": "new"})
        month = instant()[:7].replace("-", "")
        for query in ({}, {"from_month": month, "to_month": month}, {"pipeline": DEFAULT_PIPELINE}):
            steps = {step["stage"]: step for step in self.ok(self.admin.get("/v1/leads/funnel", **query))["steps"]}
            self.assertEqual((steps["new"]["entered"], steps["new"]["left"]), (4, 1))
            self.assertEqual((steps["contacted"]["entered"], steps["contacted"]["left"]), (1, 1))
            self.assertEqual(steps["new"]["mean_seconds_in_stage"], 0)
            self.assertNotIn("mean_seconds_in_stage", steps["qualified"])
        past = self.ok(self.admin.get("/v1/leads/funnel", to_month="202001"))["steps"]
        self.assertEqual({step["entered"] for step in past}, {0})
        for query in ({"from_month": "202602", "to_month": "202601"}, {"from_month": "1"}, {"from_month": "2026-01"}):
            self.problem(self.admin.get("/v1/leads/funnel", **query), 400, "invalid_parameter")


class Past(ApiCase):
    def everything(self, clients, leads, **query):
        """The answer of every query to every client."""
        paths = ["/v1/leads?limit=3", "/v1/leads?sort=updated_at", "/v1/leads?archived=true", "/v1/leads?count=true&filter=" + "score+ge+0",
                 "/v1/leads?email=past@time.example", "/v1/leads/activities", "/v1/leads/board", "/v1/leads/board/new",
                 "/v1/leads/board/contacted", "/v1/leads/funnel", "/v1/lead-pipelines", f"/v1/lead-pipelines/{DEFAULT_PIPELINE}", "/v1/lead-reasons"]
        for lead in leads:
            paths += [f"/v1/leads/{lead}", f"/v1/leads/{lead}/timeline"]
        answers = {}
        for name, client in clients.items():
            for path in paths:
                asked = path + "".join(("&" if "?" in path else "?") + f"{key}={value}" for key, value in query.items())
                answer = client.get(asked)
                self.assertIn(answer.status, (200, 404), answer)
                body = answer.json
                if isinstance(body.get("next"), str) and "items" in body:
                    body["next"] = "a cursor"  # it holds the position or not, and is sealed
                for column in body.get("columns", []):
                    column.pop("next", None)
                answers[name, path] = body
        return answers

    def test_every_query_answers_as_it_did_then(self):
        agent, user = self.agent()
        clients = {"admin": self.admin, "agent": agent}
        leads = []
        told = {}

        def remember(answer):
            self.assertIn(answer.status, (200, 201), answer)
            told[answer.position] = self.everything(clients, leads)

        for i in range(3):
            answer = self.admin.post("/v1/leads", {"given_name": f"N{i}", "emails": ["past@time.example"],
                                                   "expected_value": euro(i), "owner": user if i else new_id()})
            leads.append(answer.json["id"])
            remember(answer)
        one, two, three = leads
        for method, path, body in (
                ("POST", f"/v1/leads/{one}/log-activity", {"kind": "email", "direction": "outbound", "subject": "Hello"}),
                ("PATCH", f"/v1/leads/{two}", {"given_name": "Other", "emails": None, "expected_value": None}),
                ("POST", f"/v1/leads/{two}/assign", {}), ("POST", f"/v1/leads/{one}/assign", {"owner": user}),
                ("POST", f"/v1/leads/{three}/disqualify", {"lost_reason": "other", "lost_note": "why"}),
                ("POST", f"/v1/leads/{three}/recycle", {}), ("POST", f"/v1/leads/{one}/hold", {"held_until": "2040-01-01T00:00:00Z"}),
                ("POST", f"/v1/leads/{one}/resume", {}), ("POST", f"/v1/leads/{two}/add-collaborator", {"user": user}),
                ("POST", f"/v1/lead-pipelines/{DEFAULT_PIPELINE}/add-stage",
                 {"stage": {"key": "try", "name": "Try", "category": "ongoing"}, "before": "qualified"}),
                ("POST", f"/v1/lead-pipelines/{DEFAULT_PIPELINE}/retire-stage", {"stage": "contacted", "remap_to": "try"}),
                ("POST", "/v1/lead-reasons", {"reason": "mine", "label": "Mine"}),
                ("POST", f"/v1/leads/{one}/schedule-activity", {"kind": "call", "due_at": "2030-01-01T00:00:00Z", "subject": "Plan"}),
                ("POST", f"/v1/leads/{one}/archive", {}), ("POST", f"/v1/leads/{two}/archive", {}),
                ("POST", f"/v1/leads/{one}/restore", {}),
                ("POST", f"/v1/leads/{two}/restore", {}), ("POST", f"/v1/leads/{two}/remove-collaborator", {"user": user})):
            remember(self.admin.request(method, path, body))
        recorded = {record["position"]: record["recorded_at"] for record in records(api_case.server.data, tenant=self.tenant)}
        self.assertEqual(sorted(told), list(range(1, len(told) + 1)))
        # What an agent sees of the past is a matter of today: access_test.py. Here, of what was the agent's all along.
        for position, then in told.items():
            known = leads[:position]
            for as_of in (position, recorded[position]):
                with self.subTest(position=position, as_of=as_of):
                    now = self.everything({"admin": self.admin}, known, as_of=as_of)
                    now |= self.everything({"agent": agent}, [three] if position >= 3 else [], as_of=as_of)
                    for query, answer in now.items():
                        if query[0] == "admin" or three in query[1]:
                            self.assertEqual(answer, then[query], query)

    def test_before_the_first_record_there_is_nothing(self):
        self.capture()
        for as_of in (0, "2020-01-01T00:00:00Z"):
            self.assertEqual(self.ok(self.admin.get("/v1/leads", as_of=as_of)), {"items": [], "position": 0})
            self.assertEqual(self.ok(self.admin.get("/v1/lead-reasons", as_of=as_of))["items"], [])
            self.problem(self.admin.get("/v1/leads/board", as_of=as_of), 404, "not_found")

    def test_as_of_names_a_position_or_an_instant_that_was(self):
        lead = self.capture()
        self.problem(self.admin.get("/v1/leads", as_of=2), 400, "invalid_parameter")
        for as_of in ("", "-1", "1.5", "yesterday", "2026-01-01", "2026-13-01T00:00:00Z", "0x1", "1 ", "18446744073709551616"):
            with self.subTest(as_of):
                self.problem(self.admin.get(f"/v1/leads/{lead}", as_of=as_of), 400, "invalid_parameter")
        self.assertEqual(self.admin.get(f"/v1/leads/{lead}", as_of="2999-01-01T00:00:00Z").position, 1)

    def test_a_read_is_never_older_than_it_may_be(self):
        lead = self.capture()
        for i in range(100):
            position = self.act(lead, "tag" if i % 2 == 0 else "untag", {"tag": "odd"})["position"]
            answer = self.admin.get(f"/v1/leads/{lead}", min_position=position)
            self.assertEqual(self.ok(answer)["tags"], ["odd"] if i % 2 == 0 else [])
            self.assertGreaterEqual(answer.position, position)
        behind = self.problem(self.admin.get("/v1/leads", min_position=10_000), 503, "projection_behind")
        self.assertEqual(behind["position"], 101)
        for position in ("", "-1", "x", "1.0", "99999999999999999999"):
            self.problem(self.admin.get("/v1/leads", min_position=position), 400, "invalid_parameter")

    def test_an_answer_is_given_again_only_to_the_same_question_of_the_same_person(self):
        lead = self.capture()
        agent = self.client(role="agent")
        for _ in range(3):
            self.assertEqual(len(self.ok(self.admin.get("/v1/leads"))["items"]), 1)
            self.assertEqual(self.ok(agent.get("/v1/leads"))["items"], [])
            self.problem(agent.get(f"/v1/leads/{lead}"), 404, "not_found")
            self.assertNotIn("count", self.ok(self.admin.get("/v1/leads", limit=1)))
            self.assertEqual(self.ok(self.admin.get("/v1/leads", limit=1, count=True))["count"], 1)

    def test_who_changed_something_reads_it_at_once(self):
        lead = self.capture()
        for i in range(100):
            tags = ["odd"] if i % 2 == 0 else []
            changed = self.act(lead, "tag" if tags else "untag", {"tag": "odd"})["position"]
            for _ in range(2):
                one, page = self.admin.get(f"/v1/leads/{lead}"), self.admin.get("/v1/leads")
                self.assertEqual(self.ok(one)["tags"], tags)
                self.assertEqual(self.ok(page)["items"][0]["tags"], tags)
                self.assertEqual((one.position, page.position), (changed, changed))

    def test_a_tenant_without_records_is_empty(self):
        self.assertEqual(self.ok(self.admin.get("/v1/leads")), {"items": [], "position": 0})
        self.assertEqual(self.ok(self.admin.get("/v1/leads", count=True, as_of=0))["count"], 0)
        self.assertEqual(self.ok(self.admin.get("/v1/lead-pipelines"))["items"], [])
        self.problem(self.admin.get("/v1/leads/board"), 404, "not_found")
        self.problem(self.admin.get(f"/v1/leads/{new_id()}"), 404, "not_found")


class Idempotency(ApiCase):
    def test_the_same_request_happens_once(self):
        key = "order 66".replace(" ", "-")
        first = self.admin.post("/v1/leads", {"given_name": "Ada", "tags": ["a"]}, idempotency_key=key)
        self.ok(first, 201)
        self.assertNotIn("Idempotent-Replayed", first.headers)
        self.act(first.json["id"], "tag", {"tag": "later"})
        same_but_spelled_otherwise = b' { "tags" : ["a"],\n"given_name":"\\u0041da"}'
        headers = {"Content-Type": "application/json", "Idempotency-Key": f'"{key}"'}
        again = self.admin.request("POST", "/v1/leads", same_but_spelled_otherwise, headers)
        self.assertEqual((again.status, again.body), (first.status, first.body))
        self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        for name in ("Location", "ETag", "Position", "Content-Type"):
            self.assertEqual(again.headers[name], first.headers[name])
        self.assertEqual(self.ok(self.admin.get("/v1/leads", count=True))["count"], 1)

    def test_another_request_with_the_key_is_refused(self):
        lead = self.ok(self.admin.post("/v1/leads", {"given_name": "Ada"}, idempotency_key="k"), 201)["id"]
        self.problem(self.admin.post("/v1/leads", {"given_name": "Bob"}, idempotency_key="k"), 422, "idempotency_mismatch")
        self.problem(self.admin.post(f"/v1/leads/{lead}/tag", {"tag": "x"}, idempotency_key="k"), 422, "idempotency_mismatch")
        self.problem(self.client().post("/v1/leads", {"given_name": "Ada"}, idempotency_key="k"), 422, "idempotency_mismatch")
        self.assertEqual(self.ok(self.admin.get("/v1/leads", count=True))["count"], 1)

    def test_a_key_of_another_tenant_is_another_key(self):
        one = self.ok(self.admin.post("/v1/leads", {"given_name": "Ada"}, idempotency_key="k"), 201)
        elsewhere = self.client(tenant=self.tenant + "-other")
        two = self.ok(elsewhere.post("/v1/leads", {"given_name": "Bob"}, idempotency_key="k"), 201)
        self.assertNotEqual(one["id"], two["id"])

    def test_twenty_at_once_have_one_effect(self):
        def send(_):
            return self.another(self.admin.key).post("/v1/leads", {"given_name": "Ada"}, idempotency_key="once")
        answers = in_parallel(20, send)
        self.assertEqual({answer.status for answer in answers}, {201})
        self.assertEqual(len({answer.body for answer in answers}), 1)
        self.assertEqual(self.ok(self.admin.get("/v1/leads", count=True))["count"], 1)

    def test_twenty_different_requests_at_once_with_one_key_have_one_effect(self):
        def send(index):
            return self.another(self.admin.key).post("/v1/leads", {"given_name": f"N{index}"}, idempotency_key="once")
        statuses = sorted(answer.status for answer in in_parallel(20, send))
        self.assertEqual(statuses, [201] + [422] * 19)

    def test_a_refused_request_leaves_its_key_free(self):
        lead = self.capture()
        refused = self.admin.post(f"/v1/leads/{lead}/qualify", idempotency_key="q")
        self.problem(refused, 409, "exit_criteria_not_met")
        self.contact(lead)
        self.ok(self.admin.post(f"/v1/leads/{lead}/qualify", idempotency_key="q"))

    def test_what_is_no_key_is_refused(self):
        for key in ("", '""', "with space", "a" * 256, "é"):
            with self.subTest(key[:10]):
                headers = {"Idempotency-Key": key.encode()}
                self.problem(self.admin.request("POST", "/v1/leads", {}, headers), 400, "invalid_parameter")
        self.ok(self.admin.post("/v1/leads", {}, idempotency_key="a" * 255), 201)


class Versions(ApiCase):
    def test_if_match_guards_against_lost_updates(self):
        lead = self.capture()
        self.act(lead, "tag", {"tag": "one"}, if_match='"1"')
        late = self.admin.post(f"/v1/leads/{lead}/tag", {"tag": "two"}, if_match='"1"')
        self.assertEqual(self.problem(late, 412, "precondition_failed")["current_version"], 2)
        self.act(lead, "tag", {"tag": "two"}, if_match='"2"')
        self.act(lead, "tag", {"tag": "three"}, if_match="*")
        self.assertEqual(self.lead(lead)["tags"], ["one", "two", "three"])
        self.problem(self.admin.post(f"/v1/leads/{lead}/tag", {"tag": "four"}, if_match='"9"'), 412, "precondition_failed")
        for tag in ("3", "", '""', 'W/"4"', '"x"', '"-1"', '"4", "5"', '"99999999999999999999"'):
            with self.subTest(tag):
                answer = self.admin.post(f"/v1/leads/{lead}/tag", {"tag": "four"}, if_match=tag)
                self.problem(answer, 400, "invalid_parameter")
        self.problem(self.admin.post(f"/v1/leads/{new_id()}/qualify", if_match='"1"'), 404, "lead_not_found")

    def test_of_writers_with_one_version_one_wins(self):
        lead = self.capture()
        for version in range(1, 6):
            def write(index, tag=f'"{version}"'):
                with api_case.server.client(self.admin.key) as client:
                    return client.post(f"/v1/leads/{lead}/score", {"score": version * 100 + index}, if_match=tag)
            self.assertEqual(sorted(answer.status for answer in in_parallel(16, write)), [200] + [412] * 15)
        self.assertEqual(self.lead(lead)["version"], 6)

    def test_a_repeated_key_answers_whatever_the_version_is_now(self):
        lead = self.capture()
        send = dict(body={"tag": "x"}, if_match='"1"', idempotency_key="t")
        first = self.admin.post(f"/v1/leads/{lead}/tag", **send)
        self.act(lead, "untag", {"tag": "x"})
        again = self.admin.post(f"/v1/leads/{lead}/tag", **send)
        self.assertEqual((again.status, again.body), (first.status, first.body))


class DryRuns(ApiCase):
    def test_a_dry_run_tells_the_events_and_writes_nothing(self):
        lead = self.capture()
        path = f"/v1/leads/{lead}/log-activity?dry_run=true"
        body = {"kind": "call", "direction": "outbound", "subject": "Hi"}
        answer = self.admin.post(path, body, idempotency_key="dry")
        foreseen = self.ok(answer)
        self.assertEqual([(event["type"], event["version"], event["stream"]) for event in foreseen["events"]],
                         [("leads.activity-logged.v1", 2, lead), ("leads.lead-stage-changed.v1", 3, lead)])
        self.assertEqual(foreseen["events"][0]["data"]["subject"], "Hi")
        self.assertEqual(self.admin.get(f"/v1/leads/{lead}").position, 1)
        self.assertEqual(self.lead(lead)["version"], 1)
        self.ok(self.admin.post(path.replace("true", "false"), {"kind": "note"}, idempotency_key="dry"))
        self.assertEqual(self.ok(self.admin.post("/v1/leads?dry_run=true", {}))["position"], 2)
        self.assertEqual(self.ok(self.admin.get("/v1/leads", count=True))["count"], 1)
        self.assertEqual(len(records(api_case.server.data, tenant=self.tenant)), 2)

    def test_a_dry_run_refuses_what_the_run_would_refuse(self):
        lead = self.capture()
        self.problem(self.admin.post(f"/v1/leads/{lead}/qualify?dry_run=true"), 409, "exit_criteria_not_met")
        self.problem(self.admin.post(f"/v1/leads/{lead}/tag?dry_run=true", {}), 422, "invalid_fields", "/tag")
        self.problem(self.admin.post(f"/v1/leads/{lead}/tag?dry_run=true", {"tag": "x"}, if_match='"7"'), 412, "precondition_failed")
        self.problem(self.admin.post("/v1/leads?dry_run=maybe", {}), 400, "invalid_parameter")
        self.problem(self.client("viewer").post("/v1/leads?dry_run=true", {}), 403, "forbidden")
        self.assertEqual(self.ok(self.admin.post(f"/v1/leads/{lead}/untag?dry_run=true", {"tag": "x"}))["events"], [])


class Problems(ApiCase):
    def test_each_wrong_field_is_named(self):
        table = [
            ({"given_name": 5}, "/given_name", "type"), ({"given_name": None}, "/given_name", "type"),
            ({"given_name": ""}, "/given_name", "length"), ({"given_name": "x" * 101}, "/given_name", "length"),
            ({"given_name": ["x"]}, "/given_name", "type"), ({"given_name": {"x": 1}}, "/given_name", "type"),
            ({"given_name": True}, "/given_name", "type"), ({"given_name": "a\x00b"}, "/given_name", "format"),
            ({"emails": "a@b.example"}, "/emails", "type"), ({"emails": ["a@b.example", 5]}, "/emails/1", "type"),
            ({"emails": ["no address"]}, "/emails/0", "format"), ({"emails": ["a@b.example"] * 11}, "/emails", "items"),
            ({"phones": ["030 1234"]}, "/phones/0", "format"), ({"rating": "boiling"}, "/rating", "type"),
            ({"rating": 1}, "/rating", "type"), ({"rating": ""}, "/rating", "type"), ({"owner": "me"}, "/owner", "type"),
            ({"owner": 5}, "/owner", "type"), ({"collaborators": [new_id(), "x"]}, "/collaborators/1", "type"),
            ({"expected_value": 5}, "/expected_value", "type"), ({"expected_value": {}}, "/expected_value/minor", "required"),
            ({"expected_value": {"minor": 1}}, "/expected_value/currency", "required"),
            ({"expected_value": {"minor": 1.5, "currency": "EUR"}}, "/expected_value/minor", "type"),
            ({"expected_value": {"minor": 2 ** 63, "currency": "EUR"}}, "/expected_value/minor", "type"),
            ({"expected_value": {"minor": "1", "currency": "EUR"}}, "/expected_value/minor", "type"),
            ({"expected_value": {"minor": 1, "currency": "eur"}}, "/expected_value/currency", "format"),
            ({"expected_value": {"minor": 1, "currency": "EUR", "x": 1}}, "/expected_value/x", "unknown_field"),
            ({"next_action_at": "tomorrow"}, "/next_action_at", "type"), ({"next_action_at": 1700000000}, "/next_action_at", "type"),
            ({"next_action_at": "2026-02-30T00:00:00Z"}, "/next_action_at", "type"), ({"consents": [{}]}, "/consents/0/purpose", "required"),
            ({"consents": [{"purpose": "p", "basis": "because", "at": "2026-01-01T00:00:00Z"}]}, "/consents/0/basis", "type"),
            ({"tags": [""]}, "/tags/0", "length"), ({"tags": ["x"] * 51}, "/tags", "items"), ({"tags": {}}, "/tags", "type"),
            ({"shoe_size": 44}, "/shoe_size", "unknown_field"), ({"a/b~c": 1}, "/a~1b~0c", "unknown_field"),
            ({"lead": new_id()}, "/lead", "unknown_field"), ({"profile": {}}, "/profile", "unknown_field"),
            ({"lead_number": 5}, "/lead_number", "unknown_field"), ({"Given_Name": "x"}, "/Given_Name", "unknown_field"),
        ]
        for body, pointer, code in table:
            with self.subTest(json.dumps(body)[:70]):
                problem = self.problem(self.admin.post("/v1/leads", body), 422, "invalid_fields", pointer)
                self.assertIn((pointer, code), [(error["pointer"], error["code"]) for error in problem["errors"]])
                self.assertTrue(all(error["detail"] for error in problem["errors"]))
        self.assertEqual(self.ok(self.admin.post("/v1/leads", {}), 201)["position"], 1, "a refused command was written")

    def test_integers_may_be_spelled_with_a_fraction_of_zero(self):
        lead = self.capture()
        for spelled, score in ((b"5.0", 5), (b"-2e2", -200), (b"1.0E+1", 10), (b"-0.0", 0)):
            self.ok(self.admin.request("POST", f"/v1/leads/{lead}/score", b'{"score":' + spelled + b"}", {"Content-Type": "application/json"}))
            self.assertEqual(self.lead(lead)["score"], score)

    def test_all_errors_of_a_body_are_told_at_once(self):
        problem = self.problem(self.admin.post("/v1/leads", {"given_name": 5, "emails": ["x", "y@z.example", 3], "x": 1}), 422,
                               "invalid_fields")
        self.assertEqual({error["pointer"] for error in problem["errors"]}, {"/given_name", "/emails/0", "/emails/2", "/x"})

    def test_a_problem_does_not_repeat_what_was_typed(self):
        secret = "Geheimnis-4711"
        for body in ({"given_name": secret * 20}, {"emails": [secret]}, {"rating": secret}, {"owner": secret}, {"next_action_at": secret}):
            self.assertNotIn(secret.encode(), self.admin.post("/v1/leads", body).body)

    def test_required_and_ranges(self):
        lead = self.capture()
        for word, body, pointer, code in (
                ("score", {}, "/score", "required"), ("score", {"score": 1001}, "/score", "range"),
                ("score", {"score": -1001}, "/score", "range"), ("score", {"score": "5"}, "/score", "type"),
                ("score", {"score": 1.5}, "/score", "type"), ("score", {"score": 1e300}, "/score", "type"), ("tag", {}, "/tag", "required"), ("tag", {"tag": "x" * 41}, "/tag", "length"),
                ("change-stage", {}, "/stage", "required"), ("log-activity", {}, "/kind", "required"),
                ("log-activity", {"kind": "call", "duration_minutes": -1}, "/duration_minutes", "type"),
                ("log-activity", {"kind": "call", "duration_minutes": 10081}, "/duration_minutes", "range"),
                ("add-collaborator", {}, "/user", "required"), ("add-collaborator", {"user": "00000000-0000-0000-0000-000000000000"}, "/user", "format"),
                ("tag", {"tag": "x", "lead": lead}, "/lead", "unknown_field"), ("qualify", {"x": None}, "/x", "unknown_field")):
            with self.subTest(word=word, body=body):
                problem = self.problem(self.admin.post(f"/v1/leads/{lead}/{word}", body), 422, "invalid_fields", pointer)
                self.assertEqual([error["code"] for error in problem["errors"]], [code])

    def test_the_body_must_be_json(self):
        for text in (b"", b"{", b"{}{}", b'{"a":1,}', b"{'a':1}", b'{"given_name":"a","given_name":"b"}', b'{"score":NaN}', b'{"score":0x10}',
                     b'{"a":01}', b'{"a":+1}', b"\xef\xbb\xbf{}", b'{"given_name":"\xff"}', b'{"given_name":"\\ud800"}', b"// c\n{}",
                     b'{"given_name":"a\nb"}', b'{"a":1e999}', b"[" * 10000, b'{"a":' * 200 + b"1" + b"}" * 200, b"nul"):
            with self.subTest(text[:40]):
                answer = self.admin.request("POST", "/v1/leads", text, {"Content-Type": "application/json"})
                self.problem(answer, 400, "invalid_json")
        for value in (b"[]", b"null", b'"x"', b"5", b"true"):
            answer = self.admin.request("POST", "/v1/leads", value, {"Content-Type": "application/json"})
            self.problem(answer, 422, "invalid_fields", "")

    def test_the_media_type_must_be_json(self):
        for media in ("text/plain", "application/x-www-form-urlencoded", "application/jsonp", "text/json", "application/json+x", ""):
            with self.subTest(media):
                answer = self.admin.request("POST", "/v1/leads", b"{}", {"Content-Type": media})
                self.problem(answer, 415, "unsupported_media_type")
        self.problem(self.admin.request("POST", "/v1/leads", b"{}"), 415, "unsupported_media_type")
        for media in ("application/json", "application/json; charset=utf-8", "Application/JSON ;charset=UTF-8"):
            self.ok(self.admin.request("POST", "/v1/leads", b"{}", {"Content-Type": media}), 201)
        self.ok(self.admin.request("POST", "/v1/leads"), 201)
        lead = self.capture()
        merge_patch = {"Content-Type": "application/merge-patch+json"}
        self.ok(self.admin.request("PATCH", f"/v1/leads/{lead}", b'{"team":"north"}', merge_patch))
        self.problem(self.admin.request("POST", "/v1/leads", b"{}", merge_patch), 415, "unsupported_media_type")

    def test_unknown_parameters_are_refused(self):
        lead = self.capture()
        for path in (f"/v1/leads/{lead}?x=1", f"/v1/leads/{lead}?lead={lead}", "/v1/leads/board?filter=x", "/v1/lead-reasons?limit=1"):
            self.problem(self.admin.get(path), 400, "invalid_parameter")
        self.problem(self.admin.post(f"/v1/leads/{lead}/qualify?force=true"), 400, "invalid_parameter")

    def test_a_body_has_a_bound(self):
        answer = self.admin.request("POST", "/v1/leads", b'{"description":"' + b"x" * (1 << 20) + b'"}', {"Content-Type": "application/json"})
        self.problem(answer, 413, "body_too_large")
        self.admin.close()
        self.assertEqual(self.admin.get("/livez").status, 200)

    def test_methods(self):
        lead = self.capture()
        for path, allowed in (("/v1/leads", "GET, HEAD, OPTIONS, POST"), (f"/v1/leads/{lead}", "GET, HEAD, OPTIONS, PATCH"),
                              (f"/v1/leads/{lead}/tag", "OPTIONS, POST"), ("/livez", "GET, HEAD, OPTIONS")):
            options = self.admin.request("OPTIONS", path)
            self.assertEqual((options.status, options.headers["Allow"], options.body), (204, allowed, b""))
            wrong = self.admin.request("DELETE", path)
            self.problem(wrong, 405, "method_not_allowed")
            self.assertEqual(wrong.headers["Allow"], allowed)
        full = self.admin.get(f"/v1/leads/{lead}")
        head = self.admin.request("HEAD", f"/v1/leads/{lead}")
        self.assertEqual((head.status, head.body), (200, b""))
        for name in ("Content-Length", "Content-Type", "ETag", "Position"):
            self.assertEqual(head.headers[name], full.headers[name])
        for path in ("/v1", "/v1/leads/", "//v1/leads", "/v2/leads", "/V1/leads", f"/v1/leads/{lead}/tags", "/.git/config"):
            self.assertIn(self.admin.get(path).status, (400, 404), path)


class Node(ApiCase):
    def document(self):
        return self.ok(self.admin.get("/openapi.json"))

    def test_it_tells_that_it_lives_and_is_ready(self):
        self.assertEqual(self.admin.get("/livez").body, b"ok\n")
        self.assertTrue(self.ok(self.admin.get("/readyz"))["ready"])

    def test_metrics_count_requests_by_route(self):
        def count():
            text = self.admin.get("/metrics").body.decode()
            found = re.search(r'^bos_http_requests_total\{method="GET",route="/v1/leads/\{lead\}",status="2xx"\} (\d+)', text, re.MULTILINE)
            return int(found.group(1)) if found else 0
        lead = self.capture()
        before = count()
        for _ in range(3):
            self.lead(lead)
        self.assertEqual(count(), before + 3)
        answer = self.admin.get("/metrics")
        self.assertTrue(answer.headers["Content-Type"].startswith("text/plain"))
        self.assertNotIn(lead.encode(), answer.body)

    def test_an_answer_is_given_again_until_the_tenant_changes(self):
        def given_again():
            text = self.admin.get("/metrics").body.decode()
            return int(re.search(r"^bos_answers_given_again_total (\d+)", text, re.MULTILINE).group(1))
        def reads(path):
            before = given_again()
            answer = self.admin.get(path)
            self.assertEqual(answer.status, 200)
            return answer, given_again() - before
        lead = self.capture()
        first, kept = reads(f"/v1/leads/{lead}")
        self.assertEqual(kept, 0)
        second, kept = reads(f"/v1/leads/{lead}")
        self.assertEqual((kept, second.body, second.headers["ETag"]), (1, first.body, first.headers["ETag"]))
        self.assertEqual(reads(f"/v1/leads/{lead}?min_position=latest")[1], 0)
        self.capture()
        self.assertEqual(reads(f"/v1/leads/{lead}")[1], 0)

    def test_the_document_names_every_route_that_is_served(self):
        for path, operations in self.document()["paths"].items():
            allowed = self.admin.request("OPTIONS", re.sub(r"\{\w+\}", new_id(), path)).headers["Allow"]
            served = set(allowed.split(", ")) - {"OPTIONS", "HEAD"}
            self.assertEqual({method.upper() for method in operations}, served, path)

    def test_nothing_is_answered_without_a_key(self):
        with api_case.server.client() as nobody:
            for path, operations in self.document()["paths"].items():
                for method, operation in operations.items():
                    if operation.get("security") == []:
                        self.assertNotIn("{", path)
                        self.assertEqual(nobody.request(method.upper(), path).status, 200)
                        continue
                    body = {} if method in ("post", "patch") else None
                    answer = nobody.request(method.upper(), re.sub(r"\{\w+\}", new_id(), path), body)
                    self.problem(answer, 401, "unauthenticated")
                    self.assertEqual(answer.headers["WWW-Authenticate"], "Bearer")

    def test_the_page_loads_only_from_its_own_origin(self):
        page = self.admin.get("/")
        self.assertEqual((page.status, page.headers["Content-Type"]), (200, "text/html; charset=utf-8"))
        policy = page.headers["Content-Security-Policy"]
        for rule in ("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            self.assertIn(rule, policy)
        self.assertNotIn("unsafe", policy)
        text = page.body.decode()
        self.assertIsNone(re.search(r"<script(?![^>]*\bsrc=)|\bon\w+\s*=|<style|\bstyle=|https?://", text))
        for path in re.findall(r'(?:src|href)="(/[^"#]+)"', text):
            file = self.admin.get(path)
            self.assertEqual(file.status, 200, path)
            self.assertIn(file.headers["Content-Type"].split(";")[0], ("text/javascript", "text/css", "image/svg+xml"))
            self.assertEqual(file.headers["X-Content-Type-Options"], "nosniff")

    def test_a_trace_is_the_correlation_of_its_records(self):
        trace = "0af7651916cd43dd8448eb211c80319c"
        self.admin.post("/v1/leads", {}, traceparent=f"00-{trace}-b7ad6b7169203331-01")
        plain = self.admin.post("/v1/leads", {}, traceparent="00-nonsense")
        first, second = records(api_case.server.data, tenant=self.tenant)
        self.assertEqual(first["correlation"].replace("-", ""), trace)
        self.assertEqual(second["correlation"], plain.headers["Request-Id"])

    def test_answers_can_be_kept_by_nobody_else(self):
        for answer in (self.admin.get("/v1/leads"), self.admin.get("/livez"), self.admin.get("/nowhere")):
            self.assertEqual(answer.headers["Cache-Control"], "no-store")
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertRegex(answer.headers["Request-Id"], r"^[0-9a-f-]{36}$")


class Restarted(unittest.TestCase):
    """These restart the server, so they have one of their own."""

    def setUp(self):
        self.folder = api_case.Folder()
        self.addCleanup(self.folder.remove)
        self.server = api_case.Server(self.folder).start()
        self.addCleanup(self.server.kill)
        self.key = self.server.key("acme")

    def test_everything_is_as_before(self):
        with self.server.client(self.key) as client:
            first = client.post("/v1/leads", {"given_name": "Ada", "emails": ["ada@acme.example"]}, idempotency_key="k")
            lead = first.json["id"]
            client.post(f"/v1/leads/{lead}/hold", {"held_until": "2040-01-01T00:00:00Z"})
            for _ in range(30):
                client.post("/v1/leads", {"given_name": "Ben", "owner": new_id()})
            paths = (f"/v1/leads/{lead}", f"/v1/leads/{lead}/timeline", "/v1/leads/board", "/v1/leads?limit=200",
                     "/v1/leads?email=ada@acme.example", "/v1/leads/funnel", "/v1/leads?as_of=5", "/v1/lead-reasons")
            before = [client.get(path).body for path in paths]
            cursor = client.get("/v1/leads", limit=10).json["next"]
            page = client.get("/v1/leads", limit=10, cursor=cursor).body
        self.server.restart()
        with self.server.client(self.key) as client:
            self.assertEqual([client.get(path).body for path in paths], before)
            self.assertEqual(client.get("/v1/leads", limit=10, cursor=cursor).body, page)
            again = client.post("/v1/leads", {"given_name": "Ada", "emails": ["ada@acme.example"]}, idempotency_key="k")
            self.assertEqual((again.status, again.body), (first.status, first.body))
            self.assertEqual(again.headers["Idempotent-Replayed"], "true")
            self.assertEqual(client.post("/v1/leads", {}, idempotency_key="k").status, 422)
            self.assertEqual(client.post("/v1/leads", {}).json["position"], 33)

    def test_a_hold_that_ended_while_the_server_was_down_ends(self):
        with self.server.client(self.key) as client:
            lead = client.post("/v1/leads", {}).json["id"]
            client.post(f"/v1/leads/{lead}/hold", {"held_until": instant(0.3)})
        self.assertEqual(self.server.stop(), 0)
        wait_until(lambda: True, 1)
        self.server.start()
        with self.server.client(self.key) as client:
            wait_until(lambda: client.get(f"/v1/leads/{lead}").json["stage"] == "new", 10, "the timer")


if __name__ == "__main__":
    main()
