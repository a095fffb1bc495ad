#include "gateway/query_routes.h"

#include "gateway/cluster.h"
#include "gateway/field_parameters.h"
#include "gateway/metrics.h"
#include "gateway/queries.h"
#include "projections/query.h"
#include "schemas/base/json_write.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include <charconv>
#include <concepts>
#include <utility>

namespace bos::gateway {

namespace asio = boost::asio;

namespace {

template <class T>
using Parsed = std::expected<T, Problem>;

using projections::QueryContext;
using projections::ViewReader;

Problem bad_parameter(std::string_view name, std::string_view rule) {
    Problem problem = Problem::of(problems::invalid_parameter, fmt::format("{} {}.", name, rule));
    return problem;
}

Problem problem_of(const Error& error) {
    switch (error.code) {
        case Code::not_found:
            return Problem::of(problems::not_found, error.detail);
        case Code::invalid:
            return Problem::of(problems::invalid_parameter, error.detail);
        case Code::corrupt:
            return Problem::of_damage(error);
        default: {
            Problem problem = Problem::of(problems::unavailable, error.detail);
            problem.retry_after = std::chrono::seconds(1);
            return problem;
        }
    }
}

constexpr std::string_view projection_behind = "projection_behind";

/// What every query takes beside its own parameters.
struct When {
    std::optional<std::string_view> as_of;
    std::optional<std::string_view> min_position;
};

template <class Query>
Parsed<Query> parse_query(const Request& http, When& when) {
    Query query{};
    std::vector<bos::FieldError> errors;
    std::vector<std::string_view> given;
    for (const auto& [name, text] : http.params.pairs()) {
        if (set_from_text(query, name, text, errors) != FieldText::set) {
            return std::unexpected(Problem::of(problems::not_found, "Nothing has this id."));
        }
        given.push_back(name);
    }
    for (const auto& [name, text] : http.query.pairs()) {
        if (name == "as_of") {
            when.as_of = text;
        } else if (name == "min_position") {
            when.min_position = text;
        } else if (http.params.has(name) ||
                   set_from_text(query, name, text, errors) == FieldText::unknown) {
            return std::unexpected(bad_parameter(name, "is not a parameter of this request"));
        }
        given.push_back(name);
    }
    for_each_field<Query>([&](const auto& field) {
        if (field.rules.required && std::ranges::find(given, field.name) == given.end()) {
            errors.push_back({"/" + std::string(field.name), "required", "must be given"});
        }
    });
    if (errors.empty()) validate(query, "", errors);
    if (errors.empty()) return query;
    Problem problem =
        Problem::of(problems::invalid_parameter,
                    fmt::format("{} {}.", errors.front().pointer.substr(1), errors.front().detail));
    for (const bos::FieldError& error : errors)
        problem.errors.push_back({error.pointer, error.code, error.detail});
    return std::unexpected(std::move(problem));
}

/// At most what every JSON reader keeps exactly, as the document says.
std::optional<Position> read_position(std::string_view text) {
    constexpr std::uint64_t position_max = (std::uint64_t{1} << 53) - 1;
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value <= position_max ? std::optional(Position{value}) : std::nullopt;
}

/// A position, or an instant: then the last position that was recorded by then.
Parsed<std::optional<Position>> find_as_of(const Api& api, const TenantId& tenant,
                                           const When& when) {
    if (!when.as_of) return std::optional<Position>{};
    if (const auto position = read_position(*when.as_of)) return position;
    const auto instant = parse_timestamp(*when.as_of);
    if (!instant) {
        return std::unexpected(bad_parameter(
            "as_of", "must be a position or a date and time as 2026-01-31T08:15:00Z (RFC 3339)"));
    }
    const auto position = eventstore::position_at(api.log, tenant, *instant);
    if (!position) return std::unexpected(problem_of(position.error()));
    return std::optional<Position>(*position);
}

/// The read shows all that was acknowledged before it, by whichever node: its tenant's owner
/// answers, whose log ends there or later.
constexpr std::string_view latest = "latest";

Parsed<std::optional<Position>> find_min_position(const Api& api, const TenantId& tenant,
                                                  const When& when) {
    if (!when.min_position) return std::optional<Position>{};
    if (*when.min_position == latest) {
        // Also when the views have them before the answer goes out: that can fail.
        const auto head = api.log.head(tenant);
        if (!head) return std::unexpected(problem_of(head.error()));
        return std::optional<Position>(head->position);
    }
    if (const auto position = read_position(*when.min_position)) return position;
    return std::unexpected(bad_parameter("min_position", "must be a position, or latest"));
}

Parsed<void> check_min_position(const ViewReader& reader, std::optional<Position> wanted) {
    if (!wanted || reader.applied() >= *wanted) return {};
    Problem problem =
        Problem::of(problems::unavailable, "The views have not come to this position yet.");
    problem.code = projection_behind;
    problem.extra["position"] = reader.applied().value;
    problem.retry_after = std::chrono::seconds(1);
    return std::unexpected(std::move(problem));
}

Parsed<ViewReader> open_reader(const Api& api, const TenantId& tenant,
                               const std::optional<Position>& as_of) {
    if (as_of) {
        const auto head = api.log.head(tenant);
        if (!head) return std::unexpected(problem_of(head.error()));
        if (*as_of > head->position) {
            return std::unexpected(bad_parameter(
                "as_of", fmt::format("is past the newest position, {}", head->position.value)));
        }
    }
    auto reader = as_of ? api.views.read_as_of(tenant, *as_of) : api.views.read(tenant);
    if (!reader) return std::unexpected(problem_of(reader.error()));
    return *std::move(reader);
}

template <class Query>
Parsed<Response> run_query(const Api& api, const Caller& caller, const Request& http) {
    When when;
    BOS_TRY(const Query query, parse_query<Query>(http, when));
    // What is wrong for ever is told before what is only too early.
    BOS_TRY(const std::optional<Position> as_of, find_as_of(api, caller.tenant, when));
    BOS_TRY(const std::optional<Position> wanted, find_min_position(api, caller.tenant, when));
    BOS_TRY(const ViewReader reader, open_reader(api, caller.tenant, as_of));
    BOS_CHECK(check_min_position(reader, wanted));
    const auto secret = api.keys.tenant_secret(caller.tenant);
    if (!secret) return std::unexpected(problem_of(secret.error()));
    const QueryContext context{.reader = reader,
                               .as_of = as_of,
                               .viewer = {.user = caller.user, .scope = caller.grants.scope},
                               .sealer = api.sealer,
                               .log = api.log,
                               .secret = *secret,
                               .now = api.clock.now()};
    const Result<typename Query::Answer> answered = answer(query, context);
    if (!answered) return std::unexpected(problem_of(answered.error()));
    Response response = json_response(200, to_json(*answered, ShowPii::plain));
    response.headers.set("Position", std::to_string(reader.position().value));
    if constexpr (requires {
                      { answered->version } -> std::convertible_to<std::uint64_t>;
                  }) {
        response.headers.set("ETag", fmt::format("\"{}\"", answered->version));
    }
    return response;
}

struct QueryRoute {
    std::string_view permission;
    Parsed<Response> (*run)(const Api&, const Caller&, const Request&);
};

/// What an answer of now rests on; empty while that changes.
std::optional<AnswerBasis> basis_of_now(const Api& api, const TenantId& tenant) {
    const std::uint64_t erasures = api.keys.erasures();
    const auto changes = api.views.settled(tenant);
    if (!changes) return std::nullopt;
    return AnswerBasis{.view_changes = *changes, .erasures = erasures};
}

/// Answers about the past are asked for once, a filter can be about today, and who names a position
/// has just changed something.
bool may_be_kept(const Request& http) {
    return std::ranges::none_of(http.query.pairs(), [](const auto& pair) {
        return pair.first == "as_of" || pair.first == "min_position" || pair.first == "filter";
    });
}

/// All that an answer depends on beside what the views hold.
AnswerName name_of_answer(const Caller& caller, const Request& http) {
    const std::string_view user(reinterpret_cast<const char*>(caller.user.value().bytes.data()),
                                caller.user.value().bytes.size());
    std::string name;
    constexpr std::size_t usual_bytes = 256;
    name.reserve(usual_bytes);
    // With its size before it, so that no two lists of texts have the same name.
    const auto add = [&](std::string_view text) {
        const auto size = static_cast<std::uint32_t>(text.size());
        name.append(reinterpret_cast<const char*>(&size), sizeof size).append(text);
    };
    name.append(user).push_back(static_cast<char>(std::to_underlying(caller.grants.scope)));
    add(caller.tenant.value());
    add(http.path);
    for (const auto& [parameter, value] : http.query.pairs()) {
        add(parameter);
        add(value);
    }
    return AnswerName(std::move(name));
}

Parsed<Response> kept_or_made(const Api& api, QueryRoute route, const Caller& caller,
                              const Request& http) {
    const auto basis = basis_of_now(api, caller.tenant);
    if (!basis || !may_be_kept(http)) return route.run(api, caller, http);
    const AnswerName name = name_of_answer(caller, http);
    if (auto kept = api.answers.find(name, *basis)) {
        api.metrics.given_again();
        return *std::move(kept);
    }
    Parsed<Response> made = route.run(api, caller, http);
    if (made && basis_of_now(api, caller.tenant) == basis) api.answers.put(name, *basis, *made);
    return made;
}

constexpr auto views_follow_within = std::chrono::milliseconds(1'000);
constexpr auto look_again_after = std::chrono::milliseconds(2);
constexpr int looks_between_hurries = 25;

/// Views follow other nodes' commits by some milliseconds: who names a position can wait for them.
bool is_behind(const Parsed<Response>& response) {
    return !response && response.error().code == projection_behind;
}

Response answered(Parsed<Response> response) {
    return response ? *std::move(response) : to_response(response.error());
}

/// A position may be one that nobody has: only other nodes' commits, and those that are being
/// applied, are on their way.
bool may_come(const Api& api, const Request& http) {
    return api.cluster != nullptr || http.query.get("min_position") == latest;
}

asio::awaitable<Response> read_when_views_follow(const Api& api, QueryRoute route, Caller caller,
                                                 Request http, Parsed<Response> response) {
    const auto until = std::chrono::steady_clock::now() + views_follow_within;
    for (int looks = 0; is_behind(response) && std::chrono::steady_clock::now() < until; ++looks) {
        if (api.cluster != nullptr && looks % looks_between_hurries == 0)
            api.cluster->hurry(caller.tenant);
        asio::steady_timer timer(co_await asio::this_coro::executor, look_again_after);
        co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
        response = route.run(api, caller, http);
    }
    co_return answered(std::move(response));
}

/// Runs on: the connection's thread. Reads of the view store are of microseconds, so they run in
/// place.
asio::awaitable<Response> read_here(const Api& api, QueryRoute route, Caller caller, Request http) {
    Parsed<Response> response = kept_or_made(api, route, caller, http);
    if (!is_behind(response) || !may_come(api, http)) co_return answered(std::move(response));
    co_return co_await read_when_views_follow(api, route, std::move(caller), std::move(http),
                                              std::move(response));
}

/// What this node has is the tenant's newest as long as it owns it. That it still does only the
/// log can tell: it is read to its end before, so that a node which was overtaken in silence does
/// not answer with its past.
asio::awaitable<Response> read_latest(const Api& api, QueryRoute route, Caller caller,
                                      Request http) {
    const Result<void> read = co_await api.cluster->read_to_end(caller.tenant);
    if (!read) co_return to_response(problem_of(read.error()));
    const auto head = api.log.head(caller.tenant);
    if (!head) co_return to_response(problem_of(head.error()));
    Parameters query;
    for (const auto& [name, value] : http.query.pairs()) {
        query.add(name, name == "min_position" ? std::to_string(head->position.value) : value);
    }
    http.query = std::move(query);
    if (api.cluster->roles().views)
        co_return co_await read_here(api, route, caller, std::move(http));
    http.headers.remove(forwarded_header);
    co_return co_await api.cluster->where_views_are(std::move(http));
}

asio::awaitable<Response> answer_query(const Api& api, QueryRoute route, Request http) {
    auto caller = api.authenticate(http);
    if (!caller) co_return to_response(caller.error());
    if (find_grant(caller->grants, route.permission) == nullptr) {
        co_return to_response(Problem::of(
            problems::forbidden, fmt::format("This needs the permission {}.", route.permission)));
    }
    if (api.cluster == nullptr) {
        // As read_here(), without a coroutine for what mostly waits for nothing.
        Parsed<Response> response = kept_or_made(api, route, *caller, http);
        if (!is_behind(response) || !may_come(api, http)) co_return answered(std::move(response));
        co_return co_await read_when_views_follow(api, route, *std::move(caller), std::move(http),
                                                  std::move(response));
    }
    const bool has_views = api.cluster->roles().views;
    if (http.query.get("min_position") == latest) {
        const TenantId tenant = caller->tenant;
        Request asked = http;
        co_return co_await api.cluster->at_owner(tenant, std::move(asked), [&](bool) {
            return read_latest(api, route, *caller, std::move(http));
        });
    }
    if (!has_views) co_return co_await api.cluster->where_views_are(std::move(http));
    co_return co_await read_here(api, route, *std::move(caller), std::move(http));
}

}  // namespace

void add_query_routes(Router& router, const Api& api) {
    for_each_type(QueryLists{}, [&]<class Queries>() {
        for_each_type(Queries{}, [&]<class Query>() {
            const QueryRoute route{.permission = Query::permission, .run = &run_query<Query>};
            router.add(fmt::format("{} {}", Query::method, Query::path),
                       [&api, route](Request request) {
                           return answer_query(api, route, std::move(request));
                       },
                       std::string(Query::wire_name), {});
        });
    });
}

}  // namespace bos::gateway
