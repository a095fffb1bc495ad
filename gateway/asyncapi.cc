#include "gateway/asyncapi.h"

#include "schemas/base/assert.h"
#include "schemas/leads.gen.h"

#include <boost/json.hpp>

#include <map>
#include <vector>

namespace bos::gateway {

namespace json = boost::json;

namespace {

/// What the generated parts refer to, and the topics. Settings: docs/kafka.md, docs/events.md.
constexpr std::string_view shared_parts = R"json({
  "asyncapi": "3.0.0",
  "info": {
    "title": "BOS on Kafka",
    "version": "1",
    "description": "Topics of an installation whose log is on Kafka. Names begin with bos unless the server was given --kafka-prefix. Payloads are FlatBuffers; `bos schema export` writes their schemas. The fields are described as they read in JSON: ids as text, times as RFC 3339, values of enums by name."
  },
  "defaultContentType": "application/vnd.bos.flatbuffers",
  "channels": {
    "events": {
      "address": "bos.events.{tenant}",
      "title": "What happened, for analysts",
      "description": "One CloudEvents 1.0 record (binary mode) for each event, in the order of the tenant's log, at least once: the same event has the same ce_id.",
      "parameters": {"tenant": {"$ref": "#/components/parameters/tenant"}},
      "messages": {},
      "bindings": {"kafka": {"partitions": 1, "replicas": 3, "bindingVersion": "0.5.0",
        "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1, "retention.bytes": -1}}}
    },
    "log": {
      "address": "bos.log.{tenant}",
      "title": "The tenant's log",
      "description": "The records of the log, and whatever else was written there: a record is valid if its position is last + 1 and its previous_hash is the SHA-256 of the last valid one. Readers who do not check that want bos.events.{tenant}.",
      "parameters": {"tenant": {"$ref": "#/components/parameters/tenant"}},
      "messages": {"commit": {"$ref": "#/components/messages/commit"}},
      "bindings": {"kafka": {"partitions": 1, "replicas": 3, "bindingVersion": "0.5.0",
        "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1, "retention.bytes": -1}}}
    },
    "shards": {
      "address": "bos.shards",
      "title": "Which node owns which shard",
      "description": "Between nodes: its partitions are the shards, assigned by Kafka's consumer groups; its records are the addresses of their owners. Not for other readers.",
      "messages": {"owner": {"$ref": "#/components/messages/owner"}, "node": {"$ref": "#/components/messages/node"}},
      "bindings": {"kafka": {"partitions": 48, "replicas": 3, "bindingVersion": "0.5.0",
        "topicConfiguration": {"cleanup.policy": ["compact"]}}}
    },
    "keys": {
      "address": "bos.keys",
      "title": "Keys of personal data",
      "description": "Between nodes: rows of the key store, wrapped with the master key, which is not on Kafka. Not for other readers.",
      "messages": {"keyRow": {"$ref": "#/components/messages/keyRow"}},
      "bindings": {"kafka": {"partitions": 1, "replicas": 3, "bindingVersion": "0.5.0",
        "topicConfiguration": {"cleanup.policy": ["compact"]}}}
    },
    "credentials": {
      "address": "bos.credentials",
      "title": "API keys",
      "description": "Between nodes: which API keys were made and revoked; hashes, never secrets. Not for other readers.",
      "messages": {"credential": {"$ref": "#/components/messages/credential"}},
      "bindings": {"kafka": {"partitions": 1, "replicas": 3, "bindingVersion": "0.5.0",
        "topicConfiguration": {"cleanup.policy": ["delete"], "retention.ms": -1, "retention.bytes": -1}}}
    }
  },
  "operations": {
    "publishEvents": {"action": "send", "channel": {"$ref": "#/channels/events"},
      "summary": "Each event, once it is durable and valid."},
    "appendToLog": {"action": "send", "channel": {"$ref": "#/channels/log"},
      "summary": "Each command's outcome: all of its events in one record."},
    "tellOwner": {"action": "send", "channel": {"$ref": "#/channels/shards"},
      "summary": "A node tells which shards are its own, where it can be reached, and that it lives."},
    "shareKeys": {"action": "send", "channel": {"$ref": "#/channels/keys"},
      "summary": "A node makes, gives out or destroys a key."},
    "shareCredentials": {"action": "send", "channel": {"$ref": "#/channels/credentials"},
      "summary": "An API key was made or revoked."}
  },
  "components": {
    "parameters": {
      "tenant": {"description": "Names the tenant: 1 to 63 of a-z, 0-9 and -."}
    },
    "messages": {
      "commit": {
        "name": "commit", "title": "Commit", "summary": "A command's outcome, chained to the record before it.",
        "contentType": "application/vnd.bos.flatbuffers",
        "payload": {"type": "string", "contentEncoding": "base64", "description": "FlatBuffers, identifier BOSC."},
        "x-file": "commit.fbs", "x-root": "bos.eventstore.fb.Commit"
      },
      "owner": {
        "name": "owner", "title": "Owner", "summary": "The address of a shard's owner.",
        "contentType": "application/json",
        "payload": {"type": "object", "properties": {"address": {"type": "string", "description": "host:port"}}, "required": ["address"]},
        "bindings": {"kafka": {"key": {"const": "owner"}, "bindingVersion": "0.5.0"}}
      },
      "node": {
        "name": "node", "title": "Node", "summary": "A node lives, and what it does. No payload: it left.",
        "contentType": "application/json",
        "payload": {"type": "object", "properties": {"gateway": {"type": "boolean"}, "commands": {"type": "boolean"}, "views": {"type": "boolean"}},
          "required": ["gateway", "commands", "views"]},
        "bindings": {"kafka": {"key": {"type": "string", "description": "node and the address"}, "bindingVersion": "0.5.0"}}
      },
      "keyRow": {
        "name": "keyRow", "title": "Row of the key store", "summary": "See docs/formats.md.",
        "contentType": "application/octet-stream", "payload": {"type": "string", "contentEncoding": "base64"}
      },
      "credential": {
        "name": "credential", "title": "API key", "summary": "A line of the credential file.",
        "contentType": "application/json",
        "payload": {"type": "object", "properties": {"type": {"enum": ["created", "revoked"]}, "key": {"type": "string"}}, "required": ["type", "key"]}
      }
    },
    "schemas": {
      "CloudEventHeaders": {
        "type": "object",
        "description": "CloudEvents 1.0 attributes as Kafka headers, all of them texts.",
        "properties": {
          "content-type": {"const": "application/vnd.bos.flatbuffers"},
          "ce_specversion": {"const": "1.0"},
          "ce_id": {"type": "string", "pattern": "^[a-z0-9][a-z0-9-]{0,62}/[1-9][0-9]*/[0-9]+$", "description": "tenant/position/index: the same event has the same id, however often it is published."},
          "ce_source": {"type": "string", "pattern": "^urn:bos:tenant:", "description": "The tenant."},
          "ce_type": {"type": "string", "description": "The event's name; it ends in its version."},
          "ce_subject": {"type": "string", "description": "The aggregate: its kind and its id."},
          "ce_time": {"type": "string", "format": "date-time", "description": "When it was recorded; never before that of an earlier event."},
          "ce_tenant": {"type": "string"},
          "ce_position": {"type": "string", "pattern": "^[1-9][0-9]*$", "description": "Of the commit in the tenant's log: 1, 2, 3 and so on. Commits without events have no record."},
          "ce_index": {"type": "string", "pattern": "^[0-9]+$", "description": "Of the event in its commit, from 0."},
          "ce_events": {"type": "string", "pattern": "^[1-9][0-9]*$", "description": "How many events the commit has: they happened all at once."},
          "ce_version": {"type": "string", "pattern": "^[1-9][0-9]*$", "description": "Of the aggregate after the event."},
          "ce_command": {"type": "string", "description": "The command that decided it."},
          "ce_correlation": {"type": "string", "format": "uuid", "description": "The request that it goes back to."}
        },
        "required": ["content-type", "ce_specversion", "ce_id", "ce_source", "ce_type", "ce_subject", "ce_time", "ce_tenant", "ce_position", "ce_index", "ce_events", "ce_version", "ce_command", "ce_correlation"]
      },
      "Money": {"type": "object", "description": "An amount in minor units, and its ISO 4217 code.",
        "properties": {"minor": {"type": "integer", "minimum": -9223372036854775808, "maximum": 9223372036854775807},
                       "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}},
        "required": ["minor", "currency"]}
    }
  }
})json";

json::object parsed(std::string_view text) {
    return json::parse({text.data(), text.size()}).as_object();
}

/// Of every module.
std::vector<std::string_view> fragments() { return {leads::asyncapi_fragment()}; }

void add(json::object& all, const json::object& more) {
    for (const auto& [name, value] : more) {
        BOS_ASSERT(!all.contains(name));
        all[name] = value;
    }
}

void add_module(json::object& document, std::string_view fragment) {
    const json::object part = parsed(fragment);
    json::object& components = document["components"].as_object();
    add(components["messages"].as_object(), part.at("messages").as_object());
    add(components["schemas"].as_object(), part.at("schemas").as_object());
    json::object& events =
        document["channels"].as_object()["events"].as_object()["messages"].as_object();
    json::object& messages = components["messages"].as_object();
    const json::value key{
        {"type", "string"}, {"format", "uuid"}, {"description", "The aggregate."}};
    for (const auto& [name, message] : part.at("messages").as_object()) {
        events[name] = {{"$ref", "#/components/messages/" + std::string(name)}};
        messages[name].as_object()["bindings"] = {
            {"kafka", {{"key", key}, {"bindingVersion", "0.5.0"}}}};
    }
}

std::string make_document() {
    json::object document = parsed(shared_parts);
    for (const std::string_view fragment : fragments()) add_module(document, fragment);
    return json::serialize(document);
}

}  // namespace

const std::string& asyncapi_document() {
    static const std::string document = make_document();
    return document;
}

std::string events_index() {
    std::map<std::string, json::object> events;
    for (const std::string_view fragment : fragments()) {
        const json::object part = parsed(fragment);
        for (const auto& [name, value] : part.at("messages").as_object()) {
            const json::object& message = value.as_object();
            events[name] = {
                {"type", message.at("name")},           {"number", message.at("x-number")},
                {"version", message.at("x-version")},   {"aggregate", message.at("x-aggregate")},
                {"file", message.at("x-file")},         {"root", message.at("x-root")},
                {"personal", message.at("x-personal")}, {"summary", message.at("summary")}};
        }
    }
    std::string index = "[";
    for (const auto& [name, event] : events) {
        index += index.size() == 1 ? "\n" : ",\n";
        index += json::serialize(event);
    }
    return index + "\n]\n";
}

}  // namespace bos::gateway
