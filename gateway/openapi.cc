#include "gateway/openapi.h"

#include "schemas/base/assert.h"
#include "schemas/leads.gen.h"

#include <boost/json.hpp>

namespace bos::gateway {

namespace json = boost::json;

namespace {

/// What the generated parts refer to.
constexpr std::string_view shared_parts = R"json({
  "openapi": "3.1.0",
  "info": {
    "title": "BOS",
    "version": "1",
    "description": "Commands and queries of one tenant, which the credential names. Every command may be sent again with the same Idempotency-Key: it happens once. Every query can look at the past with as_of."
  },
  "servers": [{"url": "/"}],
  "paths": {
    "/livez": {"get": {"operationId": "node.livez", "tags": ["node"], "security": [],
      "summary": "The process answers.",
      "responses": {"200": {"description": "It does.", "content": {"text/plain": {"schema": {"type": "string"}}}},
                    "default": {"$ref": "#/components/responses/Problem"}}}},
    "/readyz": {"get": {"operationId": "node.readyz", "tags": ["node"], "security": [],
      "summary": "It can serve: the stores can be read, and no view is far behind its log.",
      "responses": {"200": {"description": "It can.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Readiness"}}}},
                    "default": {"$ref": "#/components/responses/Problem"}}}},
    "/metrics": {"get": {"operationId": "node.metrics", "tags": ["node"], "security": [],
      "summary": "Figures for Prometheus.",
      "responses": {"200": {"description": "In Prometheus' text format.", "content": {"text/plain": {"schema": {"type": "string"}}}},
                    "default": {"$ref": "#/components/responses/Problem"}}}},
    "/openapi.json": {"get": {"operationId": "node.openapi", "tags": ["node"], "security": [],
      "summary": "This document.",
      "responses": {"200": {"description": "OpenAPI 3.1.", "content": {"application/json": {"schema": {"type": "object"}}}},
                    "default": {"$ref": "#/components/responses/Problem"}}}},
    "/v1/views": {"get": {"operationId": "views.show", "tags": ["views"],
      "summary": "The tenant's views and how far they are.", "x-permission": "views:view:manage",
      "responses": {
        "200": {"description": "As they are.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Views"}}}},
        "default": {"$ref": "#/components/responses/Problem"}}}},
    "/v1/views/rebuild": {"post": {"operationId": "views.rebuild", "tags": ["views"],
      "summary": "Build every view anew from the log, beside those that are read.", "x-permission": "views:view:manage",
      "responses": {
        "202": {"description": "Started; /v1/views tells how far it is.",
          "content": {"application/json": {"schema": {"type": "object", "properties": {"started": {"const": true}}, "required": ["started"]}}}},
        "default": {"$ref": "#/components/responses/Problem"}}}}
  },
  "security": [{"apiKey": []}],
  "components": {
    "securitySchemes": {"apiKey": {"type": "http", "scheme": "bearer", "description": "Made by: bos key create"}},
    "parameters": {
      "IdempotencyKey": {"name": "Idempotency-Key", "in": "header", "required": false,
        "description": "1 to 255 visible ASCII characters. The same key and request give the first answer again, for ever; another request with it is refused.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!#-~]+$"}},
      "IfMatch": {"name": "If-Match", "in": "header", "required": false,
        "description": "The ETag of the version that the command is meant for, or *.",
        "schema": {"type": "string", "pattern": "^(\\*|\"[1-9][0-9]{0,17}\")$"}},
      "DryRun": {"name": "dry_run", "in": "query", "required": false,
        "description": "Tell the events that would happen and write nothing.", "schema": {"type": "boolean"}},
      "AsOf": {"name": "as_of", "in": "query", "required": false,
        "description": "A position, or a date and time: the answer as it was then.",
        "schema": {"oneOf": [{"type": "integer", "minimum": 0, "maximum": 9007199254740991}, {"type": "string", "format": "date-time"}]}},
      "MinPosition": {"name": "min_position", "in": "query", "required": false,
        "description": "Never answer older than this position, or than all that was acknowledged before (latest); 503 when the views are behind.",
        "schema": {"oneOf": [{"type": "integer", "minimum": 0, "maximum": 9007199254740991}, {"const": "latest"}]}}
    },
    "headers": {
      "Position": {"description": "Position of the tenant's log that the answer rests on.", "schema": {"type": "integer", "minimum": 0}},
      "ETag": {"description": "Version of the record, for If-Match.", "schema": {"type": "string"}}
    },
    "responses": {
      "Problem": {"description": "An RFC 9457 problem with a stable code.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    },
    "schemas": {
      "Money": {"type": "object", "description": "An amount in minor units, and its ISO 4217 code.",
        "properties": {"minor": {"type": "integer", "minimum": -9223372036854775808, "maximum": 9223372036854775807},
                       "currency": {"type": "string", "pattern": "^[A-Z]{3}$"}},
        "required": ["minor", "currency"], "additionalProperties": false},
      "Erased": {"type": "object", "description": "Personal data that was erased.",
        "properties": {"erased": {"const": true}}, "required": ["erased"], "additionalProperties": false},
      "CommandResult": {"type": "object",
        "properties": {
          "position": {"type": "integer", "minimum": 0, "description": "Of the commit in the tenant's log."},
          "id": {"type": "string", "format": "uuid", "description": "Of the record that the command was about."},
          "version": {"type": "integer", "minimum": 0, "description": "Of the record after the command."},
          "changed": {"type": "boolean", "description": "False when it was so already and nothing had to change."},
          "events": {"type": "array", "description": "Of a dry run.", "items": {"type": "object",
            "properties": {"type": {"type": "string"}, "stream": {"type": "string", "format": "uuid"},
                           "version": {"type": "integer", "minimum": 1}, "data": {"type": "object"}},
            "required": ["type", "stream", "version", "data"]}}},
        "required": ["position", "version", "changed"], "additionalProperties": false},
      "Readiness": {"type": "object",
        "properties": {"ready": {"const": true}, "tenants": {"type": "integer", "minimum": 0},
                       "commands_in_flight": {"type": "integer", "minimum": 0}},
        "required": ["ready", "tenants", "commands_in_flight"], "additionalProperties": false},
      "Views": {"type": "object",
        "properties": {
          "position": {"type": "integer", "minimum": 0, "description": "Applied to every view."},
          "views": {"type": "array", "items": {"type": "object",
            "properties": {"name": {"type": "string"}, "version": {"type": "integer"}}, "required": ["name", "version"]}},
          "rebuild": {"type": "object", "description": "The last one since the node started.",
            "properties": {"running": {"type": "boolean"}, "done": {"type": "integer"}, "all": {"type": "integer"},
                           "failure": {"type": "string"}},
            "required": ["running", "done", "all"]}},
        "required": ["position", "views"], "additionalProperties": false},
      "Problem": {"type": "object",
        "properties": {
          "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
          "code": {"type": "string", "description": "Stable; act on this."}, "detail": {"type": "string"},
          "errors": {"type": "array", "items": {"type": "object",
            "properties": {"pointer": {"type": "string", "description": "JSON Pointer to the field."},
                           "code": {"type": "string"}, "detail": {"type": "string"}},
            "required": ["pointer", "code", "detail"]}}},
        "required": ["type", "title", "status", "code"]}
    }
  }
})json";

void add_module(json::object& document, std::string_view fragment) {
    json::object part = json::parse({fragment.data(), fragment.size()}).as_object();
    json::object& paths = document["paths"].as_object();
    for (auto& [path, operations] : part["paths"].as_object()) paths[path] = operations;
    json::object& schemas = document["components"].as_object()["schemas"].as_object();
    for (auto& [name, schema] : part["schemas"].as_object()) {
        BOS_ASSERT(!schemas.contains(name));
        schemas[name] = schema;
    }
}

std::string make_document() {
    json::object document = json::parse({shared_parts.data(), shared_parts.size()}).as_object();
    add_module(document, leads::openapi_fragment());
    return json::serialize(document);
}

}  // namespace

const std::string& openapi_document() {
    static const std::string document = make_document();
    return document;
}

}  // namespace bos::gateway
