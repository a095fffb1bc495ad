#include "gateway/record_json.h"

#include "commands/modules.h"
#include "schemas/base/codec.h"
#include "schemas/base/digest.h"
#include "schemas/base/field.h"
#include "schemas/base/json_write.h"

#include <fmt/format.h>

#include <variant>

namespace bos::gateway {

namespace {

void append_actor(std::string& out, std::string_view name, const Actor& actor) {
    fmt::format_to(std::back_inserter(out), R"(,"{}":{{"kind":"{}","id":"{}"}})", name,
                   name_of(actor.kind), to_string(actor.id));
}

void append_text(std::string& out, std::string_view name, std::string_view text) {
    fmt::format_to(std::back_inserter(out), R"(,"{}":)", name);
    append_json_string(out, text);
}

}  // namespace

std::string event_json(const eventstore::RecordedEvent& event) {
    std::string json;
    for_each_type(commands::Modules{}, [&]<class Module>() {
        if (!json.empty()) return;
        if (const auto decoded =
                decode_numbered<typename Module::Event>(event.number, event.payload)) {
            std::visit([&](const auto& fact) { json = to_json(fact); }, *decoded);
        }
    });
    return json;
}

std::string record_json(const eventstore::Commit& commit, const Hash& hash) {
    std::string out = fmt::format(
        R"({{"tenant":"{}","position":{},"hash":"{}","previous_hash":"{}","recorded_at":"{}")",
        commit.tenant.value(), commit.position.value, to_hex(hash), to_hex(commit.previous_hash),
        to_string(commit.recorded_at));
    append_text(out, "command", commit.command);
    append_text(out, "key", commit.key);
    append_actor(out, "actor", commit.actor);
    if (commit.on_behalf_of) append_actor(out, "on_behalf_of", *commit.on_behalf_of);
    append_text(out, "correlation", to_string(commit.correlation));
    if (commit.causation.value != 0)
        fmt::format_to(std::back_inserter(out), R"(,"causation":{})", commit.causation.value);
    if (commit.depth != 0) fmt::format_to(std::back_inserter(out), R"(,"depth":{})", commit.depth);
    append_text(out, "grant", commit.grant);
    if (!commit.target.is_nil()) append_text(out, "target", to_string(commit.target));
    if (commit.target_version.value != 0)
        fmt::format_to(std::back_inserter(out), R"(,"target_version":{})",
                       commit.target_version.value);
    out += R"(,"events":[)";
    for (const eventstore::RecordedEvent& event : commit.events) {
        if (out.back() != '[') out += ',';
        const std::string data = event_json(event);
        fmt::format_to(std::back_inserter(out),
                       R"({{"type":"{}","stream":"{}","version":{},"data":{}}})", event.type,
                       to_string(event.stream.id), event.version.value,
                       data.empty() ? "null" : data);
    }
    out += "]}";
    return out;
}

}  // namespace bos::gateway
