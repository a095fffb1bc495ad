#include "gateway/head_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/parser.hpp>

namespace bos::gateway {

namespace http = boost::beast::http;

namespace {

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

bool same_fields(const AcceptedHead& accepted, const Headers& headers) {
    // Beast keeps the order of names but groups equal ones, so each is looked for by its value.
    if (accepted.fields.size() != headers.fields().size()) return false;
    for (const auto& [name, value] : accepted.fields) {
        bool found = false;
        for (const auto& [other_name, other_value] : headers.fields()) {
            found = found || (same_name(name, other_name) && value == other_value);
        }
        if (!found) return false;
    }
    return true;
}

}  // namespace

std::optional<ParsedHead> parse_head(std::string_view head) {
    http::request_parser<http::empty_body> parser;
    // The guard has measured the block; Beast's own limits would only make the two differ.
    parser.header_limit(static_cast<std::uint32_t>(head.size() + 1));
    parser.body_limit(boost::none);
    parser.eager(false);
    boost::beast::error_code error;
    const std::size_t read = parser.put(boost::asio::buffer(head.data(), head.size()), error);
    if (error || !parser.is_header_done() || read != head.size()) return std::nullopt;

    const auto& message = parser.get();
    ParsedHead parsed;
    parsed.method = view(message.method_string());
    parsed.target = view(message.target());
    parsed.version = message.version();
    parsed.keep_alive = parser.keep_alive();
    parsed.chunked = parser.chunked();
    if (const auto length = parser.content_length()) parsed.content_length = *length;
    parsed.upgrade = parser.upgrade() && message.count(http::field::upgrade) > 0;
    for (const auto& field : message) {
        parsed.headers.add(view(field.name_string()), std::string(view(field.value())));
    }
    return parsed;
}

bool same_meaning(const AcceptedHead& accepted, const ParsedHead& parsed) {
    const bool same_length = parsed.content_length.value_or(0) == accepted.content_length;
    return parsed.method == accepted.method && parsed.target == accepted.raw_target &&
           parsed.version == 10 + static_cast<unsigned>(accepted.version_minor) &&
           parsed.keep_alive == accepted.keep_alive &&
           parsed.chunked == (accepted.body == BodyKind::chunked) && same_length &&
           parsed.upgrade == accepted.upgrade_websocket && same_fields(accepted, parsed.headers);
}

}  // namespace bos::gateway
