// Header blocks: what the guard accepts reads the same however it arrives, and goes to another node
// as the same request.
#include "gateway/framing_guard.h"
#include "gateway/head_parser.h"
#include "gateway/peer_client.h"
#include "tests/fuzz/check.h"

#include <optional>
#include <utility>

using namespace bos::gateway;
using bos::fuzz::always;

namespace {

/// Where the block ends, when it arrives in two pieces; none: refused, or not there yet.
std::optional<std::size_t> end_of(std::string_view bytes, std::size_t cut,
                                  const GuardLimits& limits) {
    HeadScanner scanner(limits);
    if (cut < bytes.size()) {
        const auto first = scanner.scan(bytes.substr(0, cut));
        if (!first) return std::nullopt;
        if (*first) return *first;
    }
    const auto rest = scanner.scan(bytes);
    return rest ? *rest : std::nullopt;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes = bos::fuzz::text_of(data + 1, size - 1);
    const GuardLimits limits;
    const auto end = end_of(bytes, bytes.size(), limits);
    always(end == end_of(bytes, bytes.empty() ? 0 : data[0] % bytes.size(), limits),
           "a block ends where it ends, in however many pieces it comes");
    if (!end) return 0;
    const std::string_view head = bytes.substr(0, *end);
    const auto accepted = guard_head(head, limits);
    if (!accepted) return 0;
    for (const auto& [name, value] : accepted->fields) {
        always(!name.empty() && name.find_first_of("\r\n:") == std::string_view::npos,
               "a field's name is a name");
        always(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos,
               "a field's value is one line");
    }
    if (const auto parsed = parse_head(head); parsed && same_meaning(*accepted, *parsed))
        always(parsed->method == accepted->method, "both parsers read the same method");
    if (accepted->target.path == "*") return 0;
    Request request;
    request.path = accepted->target.path;
    request.query = accepted->target.query;
    const auto again = parse_target(accepted->method, target_of(request));
    always(again.has_value(), "another node accepts the target");
    always(again->path == request.path && again->query.pairs() == request.query.pairs(),
           "and reads the same");
    return 0;
}
