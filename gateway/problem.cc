#include "gateway/problem.h"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <utility>

namespace bos::gateway {

namespace {

constexpr std::array every_kind{
    problems::bad_framing,
    problems::bad_request_line,
    problems::bad_header,
    problems::bad_host,
    problems::bad_path,
    problems::bad_chunk,
    problems::method_refused,
    problems::upgrade_refused,
    problems::incomplete_request,
    problems::request_timeout,
    problems::body_too_large,
    problems::target_too_long,
    problems::expectation_failed,
    problems::headers_too_large,
    problems::version_not_supported,
    problems::websocket_not_available,
    problems::invalid_json,
    problems::invalid_parameter,
    problems::missing_parameter,
    problems::invalid_fields,
    problems::unauthenticated,
    problems::forbidden,
    problems::not_found,
    problems::method_not_allowed,
    problems::not_acceptable,
    problems::conflict,
    problems::misdirected,
    problems::idempotency_mismatch,
    problems::precondition_failed,
    problems::unsupported_media_type,
    problems::precondition_required,
    problems::too_many_requests,
    problems::internal,
    problems::unavailable,
    problems::outcome_unknown,
    problems::storage_full,
};

boost::json::array to_json(const std::vector<FieldError>& errors) {
    boost::json::array array;
    for (const FieldError& error : errors) {
        boost::json::object object;
        object["pointer"] = error.pointer;
        object["code"] = error.code;
        object["detail"] = error.detail;
        array.push_back(std::move(object));
    }
    return array;
}

}  // namespace

std::span<const ProblemKind> problems::all() { return every_kind; }

Problem Problem::of(const ProblemKind& kind, std::string detail) {
    Problem problem;
    problem.status = kind.status;
    problem.code = kind.code;
    problem.title = kind.title;
    problem.detail = std::move(detail);
    return problem;
}

Problem Problem::of_damage(const Error& error) {
    spdlog::error(
        "stored data is damaged: {}. To do: views/ is built anew when it is removed; all else "
        "comes "
        "from its backup",
        error.detail);
    return of(problems::internal, "Stored data is damaged; the log says where.");
}

Response to_response(const Problem& problem) {
    // The standard members are written last: `extra` cannot replace one (RFC 9457 3.2).
    boost::json::object body = problem.extra;
    body["type"] = fmt::format("urn:bos:problem:{}", problem.code);
    body["title"] = problem.title;
    body["status"] = problem.status;
    body["code"] = problem.code;
    if (!problem.detail.empty()) body["detail"] = problem.detail;
    if (!problem.errors.empty()) body["errors"] = to_json(problem.errors);

    Response response = text_response(problem.status, "application/problem+json",
                                      boost::json::serialize(boost::json::value(std::move(body))));
    for (const auto& [name, value] : problem.headers.fields()) response.headers.add(name, value);
    if (problem.retry_after) {
        response.headers.set("Retry-After", std::to_string(problem.retry_after->count()));
    }
    return response;
}

Response problem_response(const ProblemKind& kind, std::string detail) {
    return to_response(Problem::of(kind, std::move(detail)));
}

}  // namespace bos::gateway
