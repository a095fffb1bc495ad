#pragma once

#include "schemas/base/time.h"
#include "schemas/base/uuid.h"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bos::gateway {

/// Header fields in the order they came or were added. Names compare without regard to ASCII case
/// (RFC 9110 5.1). Values are bytes; the response writer refuses control characters in them.
class Headers {
  public:
    using Field = std::pair<std::string, std::string>;

    Headers() = default;
    explicit Headers(std::vector<Field> fields) : fields_(std::move(fields)) {}

    void add(std::string_view name, std::string value);
    /// Replaces every field of that name.
    void set(std::string_view name, std::string value);
    void remove(std::string_view name);
    /// The first field of that name. Fields that must be alone (Authorization, Content-Type,
    /// If-Match, Idempotency-Key …) are alone in every request: the framing guard saw to it.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const { return get(name).has_value(); }
    [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }

  private:
    std::vector<Field> fields_;
};

/// Of texts of the same size.
[[nodiscard]] bool same_letters(std::string_view left, std::string_view right);
/// Equal without regard to ASCII case.
[[nodiscard]] inline bool same_name(std::string_view left, std::string_view right) {
    return left.size() == right.size() && same_letters(left, right);
}

/// Decoded name and value pairs in the order they came, for query strings and path parameters.
/// Names are unique: a query that repeats one was refused before.
class Parameters {
  public:
    Parameters() = default;
    explicit Parameters(std::vector<std::pair<std::string, std::string>> pairs)
        : pairs_(std::move(pairs)) {}

    void add(std::string name, std::string value) {
        pairs_.emplace_back(std::move(name), std::move(value));
    }
    [[nodiscard]] std::optional<std::string_view> get(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const { return get(name).has_value(); }
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& pairs() const {
        return pairs_;
    }

  private:
    std::vector<std::pair<std::string, std::string>> pairs_;
};

/// One complete request that passed the framing guard, its body included.
struct Request {
    std::string method;  ///< upper case; HEAD stays HEAD
    std::string path;    ///< percent-decoded, valid UTF-8, no "..", no "//"
    Parameters query;    ///< percent-decoded, '+' is a space
    Headers headers;
    std::string body;       ///< without transfer coding
    std::string peer;       ///< numeric address without port
    Timestamp received_at;  ///< when its header was complete
    Uuid id;                ///< UUIDv7, sent back as Request-Id

    // Filled by the router.
    std::string_view route;  ///< template that matched, of the router: "/v1/leads/{lead}"
    Parameters params;       ///< the template's parameters, in its order
};

/// An answer whose bytes are made already: for all who get it, instead of for each of them.
struct ReadyAnswer {
    std::string bytes;        ///< response_fields(), then the body
    std::size_t body_at = 0;  ///< in bytes

    [[nodiscard]] std::string_view fields() const {
        return std::string_view(bytes).substr(0, body_at);
    }
    [[nodiscard]] std::string_view body() const { return std::string_view(bytes).substr(body_at); }
};

/// What a handler answers. The server adds framing (Content-Length, Connection, Date), Request-Id
/// and the security headers, and refuses a header that a handler must not set.
struct Response {
    int status = 200;
    Headers headers;
    std::string body;                          ///< left out on the wire for HEAD, 204 and 304
    std::shared_ptr<const ReadyAnswer> ready;  ///< if it is there, for headers and body

    std::string route;  ///< template that answered, for metrics; not sent
};

/// Runs on: the connection's thread. Owns its request; may suspend as long as it likes.
using Handler = std::function<boost::asio::awaitable<Response>(Request)>;

[[nodiscard]] Response text_response(int status, std::string_view content_type, std::string body);
/// `body` is JSON text.
[[nodiscard]] Response json_response(int status, std::string body);

}  // namespace bos::gateway
