#pragma once

#include "gateway/problem.h"
#include "gateway/request_target.h"

#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bos::gateway {

/// What the guard allows. Defaults are those of common servers, so that no honest client meets
/// them.
struct GuardLimits {
    std::size_t request_line_bytes_max = 8192;  ///< RFC 9112 3 recommends at least 8000
    std::size_t header_bytes_max = 8192;        ///< all fields together; cookies and tokens fit
    std::size_t header_fields_max = 64;         ///< browsers send about 20
    /// Hosts that are served: "api.example.com", or with a port, lower case. Empty = any. Without
    /// the list a forged Host could get into links and a rebound DNS name could reach a local
    /// server.
    std::vector<std::string> hosts;
};

enum class BodyKind : std::uint8_t { none, content_length, chunked };

/// Names as they came, values without the white space around them; views into their block.
using FieldViews =
    boost::container::small_vector<std::pair<std::string_view, std::string_view>, 16>;

/// A header block whose meaning is the same for every recipient on the way.
struct AcceptedHead {
    std::string_view method;  ///< a view into the block, as is the next
    std::string_view raw_target;
    RequestTarget target;
    int version_minor = 1;  ///< HTTP/1.0 or HTTP/1.1
    bool keep_alive = true;
    BodyKind body = BodyKind::none;
    std::uint64_t content_length = 0;
    bool expect_continue = false;
    bool upgrade_websocket = false;
    FieldViews fields;
};

/// Why a request is refused; the connection must be closed, as its end is not certain.
struct RejectedHead {
    ProblemKind kind;
    std::string_view reason;  ///< for people; a literal, never the request's bytes
};

/// Judges a header block: all bytes up to and including the empty line. Pure. The rules are
/// stricter than RFC 9112 wherever two recipients could disagree about where a request ends or whom
/// it is for (request smuggling); see the tests for one example of each.
[[nodiscard]] std::expected<AcceptedHead, RejectedHead> guard_head(std::string_view head,
                                                                   const GuardLimits& limits);

/// Finds the end of a header block while it arrives, and refuses early what guard_head would refuse
/// for its bytes: bare CR or LF, NUL, a request line or fields over the limit.
class HeadScanner {
  public:
    explicit HeadScanner(const GuardLimits& limits) : limits_(&limits) {}

    /// `bytes` is all that came since the request's first byte; each call looks only at what is
    /// new. Gives the block's size once its empty line is there.
    [[nodiscard]] std::expected<std::optional<std::size_t>, RejectedHead> scan(
        std::string_view bytes);

  private:
    /// To the next byte that a rule may say something about.
    void pass_over_text(std::string_view bytes);

    const GuardLimits* limits_;
    std::size_t scanned_ = 0;
    std::size_t request_line_end_ = 0;  // 0 = not yet there
    std::size_t line_start_ = 0;
};

}  // namespace bos::gateway
