#include "gateway/command_routes.h"

#include "gateway/cluster.h"
#include "gateway/field_parameters.h"
#include "gateway/json.h"
#include "gateway/trace_context.h"
#include "schemas/base/json_write.h"

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include <charconv>
#include <utility>

namespace bos::gateway {

namespace asio = boost::asio;
namespace json = boost::json;

namespace {

template <class T>
using Parsed = std::expected<T, Problem>;

Problem fields_problem(const std::vector<bos::FieldError>& errors) {
    Problem problem = Problem::of(problems::invalid_fields,
                                  "See errors: each names a field and the rule it breaks.");
    for (const bos::FieldError& error : errors)
        problem.errors.push_back({error.pointer, error.code, error.detail});
    return problem;
}

/// Rules of values, beside what could not be read at all: a field is told about once.
template <class Command>
void add_broken_rules(const Command& command, std::vector<bos::FieldError>& errors) {
    std::vector<bos::FieldError> broken;
    validate(command, "", broken);
    const std::size_t unread = errors.size();
    for (bos::FieldError& error : broken) {
        const auto same_field = [&](const bos::FieldError& other) {
            return other.pointer == error.pointer;
        };
        if (std::none_of(errors.begin(), errors.begin() + static_cast<std::ptrdiff_t>(unread),
                         same_field)) {
            errors.push_back(std::move(error));
        }
    }
}

/// A command as one module's schema describes it, and how its JSON becomes it.
struct CommandRoute {
    std::string_view path;
    Parsed<commands::AnyCommand> (*parse)(const json::value& body, const Parameters& params);
};

template <class Module, class Command>
Parsed<commands::AnyCommand> parse_command(const json::value& body, const Parameters& params) {
    Command command{};
    std::vector<bos::FieldError> errors;
    std::vector<std::string_view> known;
    for (const auto& [name, text] : params.pairs()) {
        // An id that is none cannot be that of anything.
        if (set_from_text(command, name, text, errors) != FieldText::set) {
            return std::unexpected(Problem::of(problems::not_found, "Nothing has this id."));
        }
        known.push_back(name);
    }
    if constexpr (Command::creates) {
        for_each_field<Command>([&](const auto& field) {
            if (field.rules.target) known.push_back(field.name);
        });
    }
    read_json(body, command, errors, known);
    add_broken_rules(command, errors);
    if (!errors.empty()) return std::unexpected(fields_problem(errors));
    return commands::AnyCommand(typename Module::Command(std::move(command)));
}

Parsed<json::value> parse_body(const Request& request) {
    const auto type = request.headers.get("Content-Type");
    if (request.body.empty() && !type) return json::value(json::object{});
    if (type) {
        const std::string_view media = type->substr(0, type->find(';'));
        const std::string_view name = media.substr(0, media.find_last_not_of(' ') + 1);
        const bool merge_patch =
            request.method == "PATCH" && same_name(name, "application/merge-patch+json");
        if (!same_name(name, "application/json") && !merge_patch) {
            return std::unexpected(
                Problem::of(problems::unsupported_media_type, "Send application/json."));
        }
    } else {
        return std::unexpected(Problem::of(problems::unsupported_media_type,
                                           "Content-Type must be application/json."));
    }
    auto parsed = parse_json(request.body);
    if (parsed) return *std::move(parsed);
    Problem problem =
        Problem::of(problems::invalid_json,
                    fmt::format("At byte {}: {}", parsed.error().offset, parsed.error().detail));
    problem.errors.push_back({parsed.error().pointer, parsed.error().code, parsed.error().detail});
    return std::unexpected(std::move(problem));
}

/// 1 to 255 visible ASCII characters; the quotes that the header's draft has around it are taken
/// off.
Parsed<void> read_key(const Request& http, const Api& api, commands::Request& request) {
    const auto header = http.headers.get("Idempotency-Key");
    if (!header) {
        request.key = to_string(new_uuid(api.clock.now(), api.random));
        request.key_is_fresh = true;
        return {};
    }
    std::string_view key = *header;
    if (key.size() >= 2 && key.front() == '"' && key.back() == '"')
        key = key.substr(1, key.size() - 2);
    const bool visible = std::ranges::all_of(key, [](char c) { return c > 0x20 && c < 0x7F; });
    if (key.empty() || key.size() > 255 || !visible) {
        return std::unexpected(Problem::of(
            problems::invalid_parameter,
            "Idempotency-Key must have 1 to 255 visible ASCII characters without spaces."));
    }
    request.key = key;
    return {};
}

/// "*" asks for nothing; otherwise one strong entity tag, as answers gave it.
Parsed<void> read_expected_version(const Request& http, commands::Request& request) {
    const auto header = http.headers.get("If-Match");
    if (!header || *header == "*") return {};
    std::uint64_t version = 0;
    const std::string_view tag = *header;
    const bool quoted = tag.size() >= 3 && tag.front() == '"' && tag.back() == '"';
    const auto [end, error] =
        quoted ? std::from_chars(tag.data() + 1, tag.data() + tag.size() - 1, version)
               : std::from_chars_result{tag.data(), std::errc::invalid_argument};
    if (error != std::errc{} || end != tag.data() + tag.size() - 1) {
        return std::unexpected(
            Problem::of(problems::invalid_parameter,
                        "If-Match must be an ETag as answers give it, e.g. \"3\"."));
    }
    request.expected_version = Version{version};
    return {};
}

Parsed<void> read_query(const Request& http, commands::Request& request) {
    for (const auto& [name, value] : http.query.pairs()) {
        if (name != "dry_run") {
            return std::unexpected(
                Problem::of(problems::invalid_parameter,
                            fmt::format("{} is not a parameter of this request.", name)));
        }
        if (value != "true" && value != "false") {
            return std::unexpected(
                Problem::of(problems::invalid_parameter, "dry_run must be true or false."));
        }
        request.dry_run = value == "true";
    }
    return {};
}

/// The version that a problem may tell: the stream's, for who lost a race.
Problem problem_of(const commands::Refusal& refusal) {
    return std::visit(
        overloaded{
            [](const Rejected& rejected) {
                Problem problem;
                problem.status = rejected.info.status;
                problem.code = rejected.info.code;
                problem.title = rejected.info.title;
                problem.detail = rejected.detail;
                if (!rejected.pointer.empty()) {
                    problem.errors.push_back(
                        {rejected.pointer, std::string(rejected.info.code), rejected.detail});
                }
                return problem;
            },
            [](const commands::VersionConflict& conflict) {
                Problem problem = Problem::of(problems::precondition_failed,
                                              "Somebody changed it since you read it.");
                problem.extra["current_version"] = conflict.current.value;
                return problem;
            },
            [](const commands::KeyReused&) { return Problem::of(problems::idempotency_mismatch); },
            [](const commands::Denied& denied) {
                return Problem::of(problems::forbidden,
                                   fmt::format("This needs the permission {}.", denied.permission));
            },
            [](const Error& error) {
                switch (error.code) {
                    case Code::full:
                        return Problem::of(problems::storage_full,
                                           "Nothing was written. Free space and try again.");
                    case Code::unknown: {
                        Problem problem = Problem::of(problems::outcome_unknown);
                        problem.retry_after = std::chrono::seconds(1);
                        return problem;
                    }
                    case Code::not_found: {
                        Problem problem = Problem::of(problems::conflict,
                                                      "The person behind this record was erased.");
                        problem.code = "subject_erased";
                        return problem;
                    }
                    case Code::corrupt:
                        return Problem::of_damage(error);
                    default: {
                        Problem problem = Problem::of(problems::unavailable, error.detail);
                        problem.retry_after = std::chrono::seconds(1);
                        return problem;
                    }
                }
            }},
        refusal);
}

Response answer_of(const commands::Done& done, const CommandRoute& route, bool dry_run) {
    std::string body = fmt::format(R"({{"position":{})", done.position.value);
    if (!done.target.id.is_nil()) body += fmt::format(R"(,"id":"{}")", to_string(done.target.id));
    body += fmt::format(R"(,"version":{},"changed":{})", done.version.value, done.changed);
    if (dry_run) {
        body += R"(,"events":[)";
        for (const commands::ForeseenEvent& event : done.foreseen) {
            if (body.back() != '[') body += ',';
            body += R"({"type":)";
            append_json_string(body, event.type);
            body += fmt::format(R"(,"stream":"{}","version":{},"data":{}}})",
                                to_string(event.stream.id), event.version.value, event.json);
        }
        body += ']';
    }
    body += '}';
    Response response =
        json_response(done.created && done.changed && !dry_run ? 201 : 200, std::move(body));
    response.headers.set("Position", std::to_string(done.position.value));
    response.headers.set("ETag", fmt::format("\"{}\"", done.version.value));
    if (response.status == 201)
        response.headers.set("Location",
                             fmt::format("{}/{}", route.path, to_string(done.target.id)));
    if (done.repeated) response.headers.set("Idempotent-Replayed", "true");
    return response;
}

Parsed<commands::Request> read_request(const Api& api, const CommandRoute& route,
                                       const Request& http, const Caller& caller) {
    BOS_TRY(const json::value body, parse_body(http));
    BOS_TRY(commands::AnyCommand command, route.parse(body, http.params));
    commands::Request request{.tenant = caller.tenant,
                              .caller = {.actor = {.kind = ActorKind::user, .id = caller.user},
                                         .on_behalf_of = {},
                                         .grants = caller.grants},
                              .command = std::move(command),
                              .key = {},
                              .expected_version = {},
                              .correlation = http.id,
                              .causation = {}};
    if (const auto trace = http.headers.get("traceparent")) {
        if (const auto context = parse_traceparent(*trace)) request.correlation = context->trace_id;
    }
    BOS_CHECK(read_key(http, api, request));
    BOS_CHECK(read_expected_version(http, request));
    BOS_CHECK(read_query(http, request));
    return request;
}

asio::awaitable<Response> decide(const Api& api, CommandRoute route, commands::Request request) {
    const bool dry_run = request.dry_run;
    commands::Shard& shard = api.shard_of(request.tenant);
    const commands::Outcome outcome = co_await shard.execute(std::move(request));
    if (!outcome) co_return to_response(problem_of(outcome.error()));
    co_return answer_of(*outcome, route, dry_run);
}

/// What cannot be read is refused by the node that was asked; the rest is the owner's affair.
asio::awaitable<Response> run_command(const Api& api, CommandRoute route, Request http) {
    const auto caller = api.authenticate(http);
    if (!caller) co_return to_response(caller.error());
    auto request = read_request(api, route, http, *caller);
    if (!request) co_return to_response(request.error());
    if (api.cluster == nullptr) co_return co_await decide(api, route, *std::move(request));
    // However many nodes it reaches, it is one command.
    http.headers.set("Idempotency-Key", request->key);
    const TenantId tenant = caller->tenant;
    co_return co_await api.cluster->at_owner(
        tenant, std::move(http), [&api, route, &request](bool may_be_written) {
            request->key_is_fresh = request->key_is_fresh && !may_be_written;
            return decide(api, route, *std::move(request));
        });
}

}  // namespace

void add_command_routes(Router& router, const Api& api) {
    for_each_type(commands::Modules{}, [&]<class Module>() {
        for_each_type(typename Module::Commands{}, [&]<class Command>() {
            const CommandRoute route{.path = Command::path,
                                     .parse = &parse_command<Module, Command>};
            router.add(fmt::format("{} {}", Command::method, Command::path),
                       [&api, route](Request request) {
                           return run_command(api, route, std::move(request));
                       },
                       std::string(Command::wire_name), {});
        });
    });
}

}  // namespace bos::gateway
