#pragma once

#include "gateway/http.h"
#include "schemas/base/result.h"
#include "schemas/base/validate.h"

#include <boost/json/object.hpp>

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bos::gateway {

/// A kind of refusal of the gateway itself. Modules have their own codes, from their schemas.
struct ProblemKind {
    std::string_view code;  ///< stable; clients act on it
    int status;
    std::string_view title;
};

/// An RFC 9457 problem. `detail` is for people and holds no personal data and no secret.
struct Problem {
    int status = 500;
    std::string code;
    std::string title;
    std::string detail;
    std::vector<FieldError> errors;
    boost::json::object extra;  ///< further members, e.g. the current version of a conflict
    std::optional<std::chrono::seconds> retry_after;
    Headers headers;  ///< further header fields, e.g. WWW-Authenticate

    [[nodiscard]] static Problem of(const ProblemKind& kind, std::string detail = {});
    /// What is stored does not read. Says in the log where, and what to do.
    [[nodiscard]] static Problem of_damage(const Error& error);
};

/// application/problem+json with type "urn:bos:problem:<code>".
[[nodiscard]] Response to_response(const Problem& problem);
[[nodiscard]] Response problem_response(const ProblemKind& kind, std::string detail = {});

namespace problems {

// The connection closes after these: where the next request starts is not certain.
inline constexpr ProblemKind bad_framing{"bad_framing", 400,
                                         "The request's framing is not accepted"};
inline constexpr ProblemKind bad_request_line{"bad_request_line", 400,
                                              "The request line is not accepted"};
inline constexpr ProblemKind bad_header{"bad_header", 400, "A header field is not accepted"};
inline constexpr ProblemKind bad_host{"bad_host", 400, "The Host is not accepted"};
inline constexpr ProblemKind bad_path{"bad_path", 400, "The path or query is not accepted"};
inline constexpr ProblemKind bad_chunk{"bad_chunk", 400, "The chunked body is not accepted"};
inline constexpr ProblemKind method_refused{"method_refused", 400,
                                            "The method is never served here"};
inline constexpr ProblemKind upgrade_refused{"upgrade_refused", 400,
                                             "This protocol upgrade is not accepted"};
inline constexpr ProblemKind incomplete_request{"incomplete_request", 400,
                                                "The connection ended inside the request"};
inline constexpr ProblemKind request_timeout{"request_timeout", 408,
                                             "The request did not arrive in time"};
inline constexpr ProblemKind body_too_large{"body_too_large", 413, "The body is too large"};
inline constexpr ProblemKind target_too_long{"target_too_long", 414,
                                             "The request line is too long"};
inline constexpr ProblemKind expectation_failed{"expectation_failed", 417,
                                                "The expectation cannot be met"};
inline constexpr ProblemKind headers_too_large{"headers_too_large", 431,
                                               "The header fields are too large"};
inline constexpr ProblemKind version_not_supported{"version_not_supported", 400,
                                                   "Only HTTP/1.0 and HTTP/1.1 are served"};
inline constexpr ProblemKind websocket_not_available{"websocket_not_available", 501,
                                                     "This address takes no WebSocket"};

// Answers of routes and of what stands before them.
inline constexpr ProblemKind invalid_json{"invalid_json", 400, "The body is not valid JSON"};
inline constexpr ProblemKind invalid_parameter{"invalid_parameter", 400,
                                               "A parameter is not valid"};
inline constexpr ProblemKind missing_parameter{"missing_parameter", 400, "A parameter is missing"};
inline constexpr ProblemKind invalid_fields{"invalid_fields", 422, "Some fields are not valid"};
inline constexpr ProblemKind unauthenticated{"unauthenticated", 401, "Credentials are needed"};
inline constexpr ProblemKind forbidden{"forbidden", 403, "Not permitted"};
inline constexpr ProblemKind not_found{"not_found", 404, "Not found"};
inline constexpr ProblemKind method_not_allowed{"method_not_allowed", 405,
                                                "The method is not allowed here"};
inline constexpr ProblemKind not_acceptable{"not_acceptable", 406, "No such representation"};
inline constexpr ProblemKind conflict{"conflict", 409, "Somebody else was first"};
/// RFC 9110 15.5.20: a node asked one that is not, or not any more, who decides. Nodes see it,
/// clients do not.
inline constexpr ProblemKind misdirected{"misdirected", 421, "Another node answers this"};
inline constexpr ProblemKind idempotency_mismatch{
    "idempotency_mismatch", 422, "The Idempotency-Key was used for another request"};
inline constexpr ProblemKind precondition_failed{"precondition_failed", 412,
                                                 "The version is not the expected one"};
inline constexpr ProblemKind unsupported_media_type{"unsupported_media_type", 415,
                                                    "The body's media type is not accepted"};
inline constexpr ProblemKind precondition_required{"precondition_required", 428,
                                                   "A precondition header is needed"};
inline constexpr ProblemKind too_many_requests{"too_many_requests", 429, "Too many requests"};
inline constexpr ProblemKind internal{"internal", 500, "Something is wrong here"};
inline constexpr ProblemKind unavailable{"unavailable", 503, "Not available at the moment"};
inline constexpr ProblemKind outcome_unknown{
    "outcome_unknown", 503, "The outcome is not known: repeat with the same Idempotency-Key"};
inline constexpr ProblemKind storage_full{"storage_full", 507, "No space left"};

/// Every code above, for the documentation and for the test that none is used twice.
[[nodiscard]] std::span<const ProblemKind> all();

}  // namespace problems
}  // namespace bos::gateway
