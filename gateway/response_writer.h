#pragma once

#include "gateway/http.h"
#include "schemas/base/time.h"
#include "schemas/base/uuid.h"

#include <expected>
#include <string>
#include <string_view>

namespace bos::gateway {

/// How an answer goes over its connection.
struct ResponseFraming {
    bool keep_alive = true;
    int version_minor = 1;      ///< of the request: HTTP/1.0 must be told that it stays open
    bool without_body = false;  ///< HEAD
    bool over_tls = false;      ///< adds Strict-Transport-Security
    Uuid request_id;
    Timestamp now;
};

/// The end of an answer's header block, which is the same however the answer goes over its
/// connection: what the handler set, the security headers, and the empty line. Leaves those that
/// the handler set, so a handler may loosen e.g. Cache-Control for a file that is public. The one
/// place where header values go out: a control byte in one (response splitting), a name that is no
/// token, or a field that belongs to the server (Content-Length, Connection …) is an error that
/// says the rule.
[[nodiscard]] std::expected<std::string, std::string_view> response_fields(
    const Response& response);

/// Status line and header block of `response`: Date, Content-Length, Connection, Request-Id, and
/// its response_fields(), whose errors it has. The caller then answers 500 instead. It is written
/// into `memory`, of which nothing is left but its capacity.
[[nodiscard]] std::expected<std::string, std::string_view> response_head(
    const Response& response, const ResponseFraming& framing, std::string memory = {});

/// Made by a handler or ready; whether it is sent is another question.
[[nodiscard]] std::string_view body_of(const Response& response);

/// Whether an answer of this status has a body at all (RFC 9110 6.4.1).
[[nodiscard]] bool status_has_body(int status);

}  // namespace bos::gateway
