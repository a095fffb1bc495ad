#include "gateway/head_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/optional/optional.hpp>

namespace bos::gateway {

namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

/// Beast's parser, which tells what it reads. Its own containers would copy all of it.
class HeadReader final : public http::basic_parser<true> {
  public:
    explicit HeadReader(ParsedHead& head) : head_(head) {}

    [[nodiscard]] bool has_upgrade_field() const { return has_upgrade_field_; }

  private:
    using ErrorCode = beast::error_code;
    using Length = boost::optional<std::uint64_t>;

    void on_request_impl(http::verb /*known*/, beast::string_view method, beast::string_view target,
                         int version, ErrorCode& /*error*/) override {
        head_.method = view(method);
        head_.target = view(target);
        head_.version = version;
    }
    void on_field_impl(http::field known, beast::string_view name, beast::string_view value,
                       ErrorCode& /*error*/) override {
        has_upgrade_field_ = has_upgrade_field_ || known == http::field::upgrade;
        head_.fields.emplace_back(view(name), view(value));
    }

    // What follows is of answers and of bodies, which it gets none of.
    void on_response_impl(int /*status*/, beast::string_view /*reason*/, int /*version*/,
                          ErrorCode& /*error*/) override {}
    void on_header_impl(ErrorCode& /*error*/) override {}
    void on_body_init_impl(const Length& /*length*/, ErrorCode& /*error*/) override {}
    std::size_t on_body_impl(beast::string_view body, ErrorCode& /*error*/) override {
        return body.size();
    }
    void on_chunk_header_impl(std::uint64_t /*size*/, beast::string_view /*extensions*/,
                              ErrorCode& /*error*/) override {}
    std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, beast::string_view body,
                                   ErrorCode& /*error*/) override {
        return body.size();
    }
    void on_finish_impl(ErrorCode& /*error*/) override {}

    ParsedHead& head_;
    bool has_upgrade_field_ = false;
};

}  // namespace

std::optional<ParsedHead> parse_head(std::string_view head) {
    ParsedHead parsed;
    HeadReader parser(parsed);
    // The guard has measured the block; Beast's own limits would only make the two differ.
    parser.header_limit(static_cast<std::uint32_t>(head.size() + 1));
    parser.body_limit(boost::none);
    parser.eager(false);
    beast::error_code error;
    const std::size_t read = parser.put(boost::asio::buffer(head.data(), head.size()), error);
    if (error || !parser.is_header_done() || read != head.size()) return std::nullopt;

    parsed.keep_alive = parser.keep_alive();
    parsed.chunked = parser.chunked();
    if (const auto length = parser.content_length()) parsed.content_length = *length;
    parsed.upgrade = parser.upgrade() && parser.has_upgrade_field();
    return parsed;
}

bool same_meaning(const AcceptedHead& accepted, const ParsedHead& parsed) {
    const bool same_length = parsed.content_length.value_or(0) == accepted.content_length;
    return parsed.method == accepted.method && parsed.target == accepted.raw_target &&
           parsed.version == 10 + accepted.version_minor &&
           parsed.keep_alive == accepted.keep_alive &&
           parsed.chunked == (accepted.body == BodyKind::chunked) && same_length &&
           parsed.upgrade == accepted.upgrade_websocket && parsed.fields == accepted.fields;
}

}  // namespace bos::gateway
