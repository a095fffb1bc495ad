#include "gateway/response_writer.h"

#include "gateway/byte_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <ctime>
#include <utility>

namespace bos::gateway {

namespace {

/// A page may load only what its own origin serves, and no inline script or style at all.
constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src "
    "'self'; "
    "connect-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'";
/// What is no page loads nothing, should a browser show it all the same.
constexpr std::string_view data_policy = "default-src 'none'; frame-ancestors 'none'";

constexpr std::array server_fields{
    std::string_view("connection"),
    std::string_view("content-length"),
    std::string_view("date"),
    std::string_view("keep-alive"),
    std::string_view("request-id"),
    std::string_view("server"),
    std::string_view("transfer-encoding"),
    std::string_view("upgrade"),
};

bool belongs_to_server(std::string_view name) {
    return std::ranges::any_of(server_fields,
                               [&](std::string_view field) { return same_name(field, name); });
}

constexpr ByteSet name_chars([](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
});

/// Visible ASCII, space and tab. Bytes above are legal but read differently by clients.
constexpr ByteSet value_chars([](char c) { return c == '\t' || (c >= 0x20 && c < 0x7F); });

std::string_view reason_phrase(int status) {
    switch (status) {
        case 101:
            return "Switching Protocols";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 206:
            return "Partial Content";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 500:
            return "Internal Server Error";
        case 503:
            return "Service Unavailable";
        default:
            return "";  // RFC 9112 4: the phrase may be absent
    }
}

/// IMF-fixdate (RFC 9110 5.6.7), without the locale that strftime looks at.
std::string http_date(Timestamp now) {
    static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(now);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(now - day));
    return fmt::format(
        "{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", days[std::chrono::weekday(day).c_encoding()],
        static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
        static_cast<int>(date.year()), time.hours().count(), time.minutes().count(),
        time.seconds().count());
}

bool is_page(const Response& response) {
    const auto type = response.headers.get("content-type");
    return type && same_name(type->substr(0, 9), "text/html");
}

/// http_date(), written once a second by each thread.
std::string_view date_of(Timestamp now) {
    thread_local std::chrono::sys_seconds second;
    thread_local std::string text;
    const auto wanted = std::chrono::floor<std::chrono::seconds>(now);
    if (text.empty() || wanted != second) {
        text = http_date(now);
        second = wanted;
    }
    return text;
}

void add(std::string& to, std::string_view name, std::string_view value) {
    to.append(name).append(": ").append(value).append("\r\n");
}

using Checked = std::expected<void, std::string_view>;

Checked check_fields(const Headers& headers) {
    for (const auto& [name, value] : headers.fields()) {
        if (name.empty() || !name_chars.has_all(name)) {
            return std::unexpected("a header name that is not a token");
        }
        if (belongs_to_server(name)) return std::unexpected("a header that belongs to the server");
        if (!value_chars.has_all(value)) {
            return std::unexpected("a header value with a byte that is not printable ASCII");
        }
    }
    return {};
}

Checked add_fields(std::string& to, const Response& response) {
    const Headers& set_by_handler = response.headers;
    if (const Checked checked = check_fields(set_by_handler); !checked) return checked;
    const auto add_unless_set = [&](std::string_view name, std::string_view value) {
        if (!set_by_handler.has(name)) add(to, name, value);
    };
    for (const auto& [name, value] : set_by_handler.fields()) add(to, name, value);
    add_unless_set("Cache-Control", "no-store");
    add_unless_set("Content-Security-Policy", is_page(response) ? page_policy : data_policy);
    add_unless_set("Cross-Origin-Opener-Policy", "same-origin");
    add_unless_set("Cross-Origin-Resource-Policy", "same-origin");
    add_unless_set("Referrer-Policy", "no-referrer");
    add_unless_set("X-Content-Type-Options", "nosniff");
    to.append("\r\n");
    return {};
}

}  // namespace

bool status_has_body(int status) { return status >= 200 && status != 204 && status != 304; }

std::string_view body_of(const Response& response) {
    return response.ready ? response.ready->body() : std::string_view(response.body);
}

std::expected<std::string, std::string_view> response_fields(const Response& response) {
    std::string fields;
    if (const Checked added = add_fields(fields, response); !added)
        return std::unexpected(added.error());
    return fields;
}

std::expected<std::string, std::string_view> response_head(const Response& response,
                                                           const ResponseFraming& framing,
                                                           std::string memory) {
    if (response.status < 100 || response.status > 599) {
        return std::unexpected("a status outside 100 to 599");
    }
    constexpr std::size_t usual_bytes = 1024;
    std::string head = std::move(memory);
    head.clear();
    head.reserve(usual_bytes);
    head.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
    head.append(reason_phrase(response.status)).append("\r\n");
    add(head, "Date", date_of(framing.now));
    if (status_has_body(response.status)) {
        add(head, "Content-Length", std::to_string(body_of(response).size()));
    }
    if (!framing.keep_alive) add(head, "Connection", "close");
    if (framing.keep_alive && framing.version_minor == 0) add(head, "Connection", "keep-alive");
    add(head, "Request-Id", to_string(framing.request_id));
    constexpr std::string_view transport = "Strict-Transport-Security";
    if (framing.over_tls && !response.headers.has(transport)) {
        add(head, transport, "max-age=31536000; includeSubDomains");
    }
    if (response.ready) {
        head.append(response.ready->fields());
    } else if (const Checked added = add_fields(head, response); !added) {
        return std::unexpected(added.error());
    }
    return head;
}

}  // namespace bos::gateway
