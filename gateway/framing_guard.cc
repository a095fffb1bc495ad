#include "gateway/framing_guard.h"

#include "gateway/byte_set.h"

#include <algorithm>
#include <array>

namespace bos::gateway {

namespace {

std::unexpected<RejectedHead> reject(const ProblemKind& kind, std::string_view reason) {
    return std::unexpected(RejectedHead{kind, reason});
}

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// RFC 9110 5.6.2: the characters of a token.
constexpr ByteSet token_chars([](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
});

/// Registered methods are upper case; a narrower rule than a token leaves less to confuse.
bool is_method_char(char c) { return (c >= 'A' && c <= 'Z') || c == '-'; }

/// RFC 9110 5.5: visible bytes, obs-text, space and tab.
constexpr ByteSet value_bytes([](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return (byte >= 0x20 && byte != 0x7F) || c == '\t';
});

bool is_blank(char c) { return c == ' ' || c == '\t'; }

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

/// Fields that decide about framing, identity or caching: one of each at most, and no look-alike
/// with
/// '_' for '-', which a CGI-style recipient behind us would take for the real one.
constexpr std::array security_fields{
    std::string_view("authorization"),
    std::string_view("content-encoding"),
    std::string_view("content-length"),
    std::string_view("content-type"),
    std::string_view("cookie"),
    std::string_view("expect"),
    std::string_view("forwarded"),
    std::string_view("host"),
    std::string_view("idempotency-key"),
    std::string_view("if-match"),
    std::string_view("if-none-match"),
    std::string_view("origin"),
    std::string_view("proxy-authorization"),
    std::string_view("sec-websocket-key"),
    std::string_view("sec-websocket-version"),
    std::string_view("traceparent"),
    std::string_view("transfer-encoding"),
    std::string_view("upgrade"),
    std::string_view("x-forwarded-for"),
    std::string_view("x-forwarded-host"),
    std::string_view("x-forwarded-proto"),
    std::string_view("x-http-method-override"),
    std::string_view("x-real-ip"),
};

bool is_security_field(std::string_view name) {
    return std::ranges::any_of(security_fields,
                               [&](std::string_view known) { return same_name(known, name); });
}

bool is_disguised_security_field(std::string_view name) {
    if (name.find('_') == std::string_view::npos) return false;
    std::string plain(name);
    std::ranges::replace(plain, '_', '-');
    return is_security_field(plain) || same_name(plain, "connection");
}

std::size_t count_of(const FieldViews& fields, std::string_view name) {
    return static_cast<std::size_t>(std::ranges::count_if(
        fields, [&](const auto& field) { return same_name(field.first, name); }));
}

std::optional<std::string_view> value_of(const FieldViews& fields, std::string_view name) {
    for (const auto& [field, value] : fields) {
        if (same_name(field, name)) return value;
    }
    return std::nullopt;
}

/// Whether any Connection field lists `option` (RFC 9110 7.6.1).
bool connection_has(const FieldViews& fields, std::string_view option) {
    for (const auto& [name, value] : fields) {
        if (!same_name(name, "connection")) continue;
        std::string_view rest = value;
        while (!rest.empty()) {
            const std::string_view item = rest.substr(0, rest.find(','));
            rest.remove_prefix(std::min(rest.size(), item.size() + 1));
            if (same_name(trimmed(item), option)) return true;
        }
    }
    return false;
}

/// The line without its CRLF; removes it from `rest`. The scanner saw to it that it is there.
std::string_view take_line(std::string_view& rest) {
    const std::string_view line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(std::min(rest.size(), line.size() + 2));
    return line;
}

std::expected<void, RejectedHead> read_request_line(std::string_view line, AcceptedHead& head) {
    const std::size_t first_space = line.find(' ');
    const std::size_t last_space = line.rfind(' ');
    if (first_space == std::string_view::npos || first_space == last_space) {
        return reject(problems::bad_request_line, "not METHOD target HTTP-version");
    }
    const std::string_view method = line.substr(0, first_space);
    const std::string_view target = line.substr(first_space + 1, last_space - first_space - 1);
    const std::string_view version = line.substr(last_space + 1);
    if (method.empty() || method.size() > 32 || !std::ranges::all_of(method, is_method_char)) {
        return reject(problems::bad_request_line, "the method is not an upper-case token");
    }
    if (target.empty() || target.find_first_of(" \t") != std::string_view::npos) {
        return reject(problems::bad_request_line, "the target is empty or has white space");
    }
    if (version != "HTTP/1.1" && version != "HTTP/1.0") {
        return reject(problems::version_not_supported, "the version is not HTTP/1.0 or HTTP/1.1");
    }
    // TRACE echoes credentials, CONNECT makes a proxy, PRI starts HTTP/2.
    if (method == "TRACE" || method == "CONNECT" || method == "PRI") {
        return reject(problems::method_refused, "TRACE, CONNECT and PRI are refused");
    }
    auto parsed = parse_target(method, target);
    if (!parsed) return reject(problems::bad_path, parsed.error());
    head.method = method;
    head.raw_target = target;
    head.target = *std::move(parsed);
    head.version_minor = version.back() - '0';
    return {};
}

std::expected<void, RejectedHead> read_field(std::string_view line, FieldViews& fields) {
    if (is_blank(line.front())) {
        return reject(problems::bad_header, "a folded header line (obs-fold)");
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos)
        return reject(problems::bad_header, "a line without colon");
    const std::string_view name = line.substr(0, colon);
    // This includes white space before the colon (RFC 9112 5.1).
    if (name.empty() || !token_chars.has_all(name)) {
        return reject(problems::bad_header, "a header name is not a token");
    }
    if (is_disguised_security_field(name)) {
        return reject(problems::bad_header, "a security header is written with an underscore");
    }
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (!value_bytes.has_all(value)) {
        return reject(problems::bad_header, "a header value has a control byte");
    }
    if (is_security_field(name) && count_of(fields, name) > 0) {
        // One code for all framing: two Content-Length fields are not only a bad header.
        const bool is_framing =
            same_name(name, "content-length") || same_name(name, "transfer-encoding");
        if (same_name(name, "host")) return reject(problems::bad_host, "more than one Host");
        return reject(is_framing ? problems::bad_framing : problems::bad_header,
                      "a header that must stand alone is there twice");
    }
    fields.emplace_back(name, value);
    return {};
}

bool is_served(std::string_view host, const std::vector<std::string>& hosts) {
    if (hosts.empty()) return true;
    const std::size_t port = host.starts_with('[') ? host.find("]:") : host.find(':');
    const std::string_view name = port == std::string_view::npos
                                      ? host
                                      : host.substr(0, host.starts_with('[') ? port + 1 : port);
    return std::ranges::any_of(hosts, [&](const std::string& served) {
        return same_name(served, host) || same_name(served, name);
    });
}

std::expected<void, RejectedHead> check_host(const AcceptedHead& head, const GuardLimits& limits) {
    const auto host = value_of(head.fields, "host");
    if (!host) return reject(problems::bad_host, "no Host");
    if (!is_authority(*host)) return reject(problems::bad_host, "Host is not host[:port]");
    // RFC 9112 3.2.2 lets the target win over Host; a proxy may have chosen by the other one.
    if (!head.target.authority.empty() && !same_name(head.target.authority, *host)) {
        return reject(problems::bad_host, "the target's authority is not the Host");
    }
    if (!is_served(*host, limits.hosts))
        return reject(problems::bad_host, "this Host is not served");
    return {};
}

std::expected<void, RejectedHead> read_framing(AcceptedHead& head) {
    const auto coding = value_of(head.fields, "transfer-encoding");
    const auto length = value_of(head.fields, "content-length");
    if (coding && length) {
        return reject(problems::bad_framing, "Transfer-Encoding and Content-Length together");
    }
    if (coding) {
        if (head.version_minor == 0) {
            return reject(problems::bad_framing, "Transfer-Encoding in HTTP/1.0");
        }
        if (!same_name(*coding, "chunked")) {
            return reject(problems::bad_framing, "Transfer-Encoding other than chunked");
        }
        head.body = BodyKind::chunked;
    }
    if (length) {
        const bool has_leading_zero = length->size() > 1 && length->front() == '0';
        // 18 digits fit 64 bits with room; the body's limit comes later.
        if (length->empty() || length->size() > 18 || has_leading_zero ||
            !std::ranges::all_of(*length, is_digit)) {
            return reject(problems::bad_framing, "Content-Length is not a plain number");
        }
        for (const char c : *length) {
            head.content_length = head.content_length * 10 + static_cast<std::uint64_t>(c - '0');
        }
        head.body = head.content_length == 0 ? BodyKind::none : BodyKind::content_length;
    }
    return {};
}

std::expected<void, RejectedHead> read_connection(AcceptedHead& head) {
    head.keep_alive = head.version_minor == 1 ? true : connection_has(head.fields, "keep-alive");
    if (connection_has(head.fields, "close")) head.keep_alive = false;

    if (const auto expect = value_of(head.fields, "expect")) {
        if (!same_name(*expect, "100-continue")) {
            return reject(problems::expectation_failed, "Expect other than 100-continue");
        }
        // RFC 9110 10.1.1: ignored in HTTP/1.0, and pointless without a body.
        head.expect_continue = head.version_minor == 1 && head.body != BodyKind::none;
    }

    const auto upgrade = value_of(head.fields, "upgrade");
    // Connection: upgrade alone asks for nothing; proxies are often set up to send it always.
    if (!upgrade) return {};
    if (!same_name(*upgrade, "websocket")) {
        return reject(problems::upgrade_refused, "Upgrade other than websocket");
    }
    if (head.method != "GET" || head.version_minor == 0 || head.body != BodyKind::none ||
        !connection_has(head.fields, "upgrade")) {
        return reject(problems::upgrade_refused, "an upgrade that is not RFC 6455 4.1");
    }
    head.upgrade_websocket = true;
    return {};
}

}  // namespace

std::expected<AcceptedHead, RejectedHead> guard_head(std::string_view bytes,
                                                     const GuardLimits& limits) {
    HeadScanner scanner(limits);
    const auto size = scanner.scan(bytes);
    if (!size) return std::unexpected(size.error());
    if (*size != bytes.size()) {
        return reject(problems::bad_framing, "not exactly one header block");
    }

    AcceptedHead head;
    std::string_view rest = bytes;
    if (auto line = read_request_line(take_line(rest), head); !line) {
        return std::unexpected(line.error());
    }
    for (std::string_view line = take_line(rest); !line.empty(); line = take_line(rest)) {
        if (head.fields.size() == limits.header_fields_max) {
            return reject(problems::headers_too_large, "too many header fields");
        }
        if (auto field = read_field(line, head.fields); !field) {
            return std::unexpected(field.error());
        }
    }
    if (auto host = check_host(head, limits); !host) return std::unexpected(host.error());
    if (auto framing = read_framing(head); !framing) return std::unexpected(framing.error());
    if (auto connection = read_connection(head); !connection) {
        return std::unexpected(connection.error());
    }
    return head;
}

std::expected<std::optional<std::size_t>, RejectedHead> HeadScanner::scan(std::string_view bytes) {
    for (; pass_over_text(bytes), scanned_ < bytes.size(); ++scanned_) {
        const char c = bytes[scanned_];
        const bool after_cr = scanned_ > 0 && bytes[scanned_ - 1] == '\r';
        // A TLS hello or a binary protocol on this port is told at its first byte.
        if (scanned_ == 0 && !is_method_char(c)) {
            return reject(problems::bad_request_line, "the method is not an upper-case token");
        }
        if (c == '\0') return reject(problems::bad_framing, "a NUL in the header");
        if ((c == '\n') != after_cr) {
            return reject(problems::bad_framing, "CR and LF stand apart in the header");
        }
        if (request_line_end_ != 0 && scanned_ >= request_line_end_ + limits_->header_bytes_max) {
            return reject(problems::headers_too_large, "the header fields are over their limit");
        }
        if (c == '\n') {
            const bool is_empty_line = scanned_ - line_start_ == 1;
            if (is_empty_line) {
                return ++scanned_;
            }
            if (request_line_end_ == 0) request_line_end_ = scanned_ + 1;
            line_start_ = scanned_ + 1;
        }
        if (request_line_end_ == 0 && scanned_ >= limits_->request_line_bytes_max + 1) {
            return reject(problems::target_too_long, "the request line is over its limit");
        }
    }
    return std::nullopt;
}

void HeadScanner::pass_over_text(std::string_view bytes) {
    if (scanned_ == 0 || bytes[scanned_ - 1] == '\r') return;
    const std::size_t limit = request_line_end_ == 0
                                  ? limits_->request_line_bytes_max + 1
                                  : request_line_end_ + limits_->header_bytes_max;
    const std::size_t end = std::min(bytes.size(), limit);
    // All that the rules name are up to CR.
    while (scanned_ < end && static_cast<std::uint8_t>(bytes[scanned_]) > '\r') ++scanned_;
}

}  // namespace bos::gateway
