"""What `bos schema` gives to those who read the topics: files that flatc takes as they are, and documents that hold together."""
import glob
import json
import os
import re
import shutil
import subprocess
import unittest

from bos_process import Folder, bos, main

SOURCES = os.environ["BOS_SOURCE_DIR"]
LANGUAGES = ("python", "ts", "go", "java", "cpp")


def flatc(*words):
    done = subprocess.run(["flatc", *words], capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        raise AssertionError(f"flatc {' '.join(words)}: {done.stdout}{done.stderr}")


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def arrays_gathered(value):
    """{"bytes0": 1, "bytes1": 2} -> {"bytes": [1, 2]}: how the sources declare what is exported as single fields."""
    if isinstance(value, list):
        return [arrays_gathered(item) for item in value]
    if not isinstance(value, dict):
        return value
    gathered = {}
    for name, item in value.items():
        array = re.fullmatch(r"(bytes|currency)\d+", name)
        if array:
            gathered.setdefault(array[1], []).append(item)
        else:
            gathered[name] = arrays_gathered(item)
    return gathered


class Exported(unittest.TestCase):
    """What one export gave."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Folder()
        cls.addClassCleanup(cls.folder.remove)
        cls.schemas = os.path.join(cls.folder.path, "schemas")
        bos("schema", "export", cls.schemas)
        cls.index = load(os.path.join(cls.schemas, "events.json"))
        cls.asyncapi = load(os.path.join(cls.schemas, "asyncapi.json"))


class Schemas(Exported):
    def files(self):
        return sorted(glob.glob(os.path.join(self.schemas, "*.fbs")))

    def test_flatc_makes_classes_of_every_schema_in_every_language(self):
        for language in LANGUAGES:
            with self.subTest(language):
                out = os.path.join(self.folder.path, language)
                flatc(f"--{language}", "-o", out, *self.files())

    def test_the_exported_schemas_read_recorded_bytes_as_the_sources_do(self):
        for event in self.index:
            with self.subTest(event["type"]):
                with open(os.path.join(SOURCES, "tests/golden/leads", event["type"] + ".hex"), encoding="ascii") as file:
                    payload = bytes.fromhex("".join(file.read().split()))
                read = []
                for schemas in (self.schemas, os.path.join(SOURCES, "schemas")):
                    out = os.path.join(self.folder.path, "read")
                    os.makedirs(out)
                    with open(os.path.join(out, "event.bin"), "wb") as file:
                        file.write(payload)
                    flatc("--json", "--raw-binary", "--strict-json", "--root-type", event["root"], "-o", out,
                          os.path.join(schemas, event["file"]), "--", os.path.join(out, "event.bin"))
                    read.append(load(os.path.join(out, "event.json")))
                    shutil.rmtree(out)
                self.assertEqual(arrays_gathered(read[0]), read[1])

    def test_the_index_has_every_event_and_its_personal_fields(self):
        listed = re.findall(r"^event +(\d+) (\S+)$", bos("schema").stdout, re.MULTILINE)
        self.assertEqual(sorted((str(event["number"]), event["type"]) for event in self.index), sorted(listed))
        by_type = {event["type"]: event for event in self.index}
        captured = by_type["leads.lead-captured.v1"]
        self.assertEqual((captured["root"], captured["file"], captured["version"], captured["aggregate"]),
                         ("bos.leads.LeadCaptured", "leads.fbs", 1, "lead"))
        self.assertIn("profile.emails", captured["personal"])
        self.assertEqual(by_type["leads.lead-tagged.v1"]["personal"], [])

    def test_writing_where_nothing_can_be_written_fails_with_a_word(self):
        refused = bos("schema", "export", os.path.join(self.schemas, "events.json", "below"), check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("cannot create", refused.stderr)


class AsyncApi(Exported):
    def test_the_word_prints_the_document_that_is_exported(self):
        self.assertEqual(json.loads(bos("schema", "--asyncapi").stdout), self.asyncapi)

    def test_every_reference_leads_somewhere(self):
        def follow(value):
            if isinstance(value, list):
                for item in value:
                    follow(item)
            elif isinstance(value, dict):
                if "$ref" in value:
                    target = self.asyncapi
                    for part in value["$ref"].removeprefix("#/").split("/"):
                        self.assertIn(part, target, value)
                        target = target[part]
                for item in value.values():
                    follow(item)

        follow(self.asyncapi)

    def test_the_channels_are_the_topics_and_every_event_is_a_message(self):
        self.assertEqual(self.asyncapi["asyncapi"], "3.0.0")
        channels = self.asyncapi["channels"]
        self.assertEqual({name: channel["address"] for name, channel in channels.items()},
                         {"events": "bos.events.{tenant}", "log": "bos.log.{tenant}", "shards": "bos.shards",
                          "keys": "bos.keys", "credentials": "bos.credentials"})
        self.assertEqual(sorted(channels["events"]["messages"]), [event["type"] for event in self.index])

    def test_a_message_has_its_headers_and_the_fields_of_its_payload(self):
        components = self.asyncapi["components"]
        captured = components["messages"]["leads.lead-captured.v1"]
        self.assertEqual(captured["payload"], {"$ref": "#/components/schemas/leads.LeadCaptured"})
        schema = components["schemas"]["leads.LeadCaptured"]
        self.assertEqual(schema["properties"]["lead"]["format"], "uuid")
        self.assertIn("lead", schema["required"])
        profile = components["schemas"]["leads.LeadProfile"]["properties"]
        self.assertTrue(profile["emails"]["x-personal"])
        self.assertNotIn("x-personal", profile["company_name"])
        self.assertIn("ce_id", components["schemas"]["CloudEventHeaders"]["required"])


if __name__ == "__main__":
    main()
