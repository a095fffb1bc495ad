#include "gateway/framing_guard.h"

#include "gateway/chunked_body.h"
#include "gateway/head_parser.h"

#include <doctest/doctest.h>

#include <ostream>
#include <string>
#include <string_view>

namespace bos::gateway {

namespace {

using namespace std::string_literals;

/// The problem's code, or "accept".
std::string verdict_on(std::string_view head, const GuardLimits& limits = {}) {
    const auto verdict = guard_head(head, limits);
    return std::string(verdict ? "accept" : verdict.error().kind.code);
}

/// A request with these lines between the request line and the empty line.
std::string get_with(std::string_view lines) {
    return "GET / HTTP/1.1\r\nHost: a\r\n"s.append(lines).append("\r\n");
}
std::string post_with(std::string_view lines) {
    return "POST / HTTP/1.1\r\nHost: a\r\n"s.append(lines).append("\r\n");
}
std::string get_target(std::string_view target) {
    return "GET "s.append(target).append(" HTTP/1.1\r\nHost: a\r\n\r\n");
}

struct Row {
    const char* rule;
    std::string head;
    std::string verdict;
};

void check(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
        INFO(row.rule);
        CHECK(verdict_on(row.head) == row.verdict);
    }
}

}  // namespace

TEST_CASE("the guard refuses the payloads on which parsers are known to differ") {
    // Beast 1.81 accepts those marked with a star.
    check({
        {"* TE: gzip, then CL", post_with("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"),
         "bad_framing"},
        {"CL, then TE: gzip", post_with("Content-Length: 5\r\nTransfer-Encoding: gzip\r\n"),
         "bad_framing"},
        {"CL, then TE: chunked", post_with("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
         "bad_framing"},
        {"TE: chunked, then CL", post_with("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
         "bad_framing"},
        {"* two equal CL", post_with("Content-Length: 5\r\nContent-Length: 5\r\n"), "bad_framing"},
        {"two different CL", post_with("Content-Length: 5\r\nContent-Length: 6\r\n"),
         "bad_framing"},
        {"* CL list", post_with("Content-Length: 5, 5\r\n"), "bad_framing"},
        {"* CL with sign", post_with("Content-Length: +5\r\n"), "bad_framing"},
        {"* HTTP/1.0 and TE", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
         "bad_framing"},
        {"* TE: chunked, identity", post_with("Transfer-Encoding: chunked, identity\r\n"),
         "bad_framing"},
        {"* TE: xchunked", post_with("Transfer-Encoding: xchunked\r\n"), "bad_framing"},
        {"TE: chunked twice",
         post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), "bad_framing"},
        {"bare LF after a header", post_with("X: a\nY: b\r\n"), "bad_framing"},
        {"space before colon", post_with("Content-Length : 5\r\n"), "bad_header"},
        {"* obs-fold", get_with("X: a\r\n b\r\n"), "bad_header"},
        {"* no Host", "GET / HTTP/1.1\r\n\r\n", "bad_host"},
        {"* two Hosts", get_with("Host: a\r\n"), "bad_host"},
        {"NUL in a value", get_with("X: a\0b\r\n"s), "bad_framing"},
        {"* absolute form, other Host", get_target("http://b/"), "bad_host"},
        {"HTTP/1.9", "GET / HTTP/1.9\r\nHost: a\r\n\r\n", "version_not_supported"},
    });
    // * The chunk extension with a line feed in it; the response that splits is in the writer's
    // test.
    std::string body;
    CHECK_FALSE(ChunkedDecoder(1024).feed("5;a=\"\n\"\r\nhello\r\n0\r\n\r\n", body));
}

TEST_CASE("the guard accepts what honest clients send") {
    check({
        {"plain", get_with(""), "accept"},
        {"HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "accept"},
        {"length 0", post_with("Content-Length: 0\r\n"), "accept"},
        {"chunked in any case", post_with("Transfer-Encoding: Chunked\r\n"), "accept"},
        {"tabs around a value", get_with("X:\t a \t\r\n"), "accept"},
        {"empty value", get_with("X:\r\n"), "accept"},
        {"obs-text", get_with("X: caf\xC3\xA9\r\n"), "accept"},
        {"odd token", get_with("X.Custom|Pipe: ok\r\n"), "accept"},
        {"underscore in a harmless name", get_with("X_Tag: ok\r\n"), "accept"},
        {"port in Host", "GET / HTTP/1.1\r\nHost: a:8080\r\n\r\n", "accept"},
        {"IPv6 Host", "GET / HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n", "accept"},
        {"absolute form", get_target("http://A/x?y=1"), "accept"},
        {"OPTIONS *", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "accept"},
        {"query", get_target("/a/b?x=1&y=%20+&z"), "accept"},
        {"UTF-8 path", get_target("/%C3%A4"), "accept"},
        {"Expect", post_with("Content-Length: 5\r\nExpect: 100-Continue\r\n"), "accept"},
        {"Connection: upgrade alone", get_with("Connection: upgrade\r\n"), "accept"},
        {"several Accept", get_with("Accept: a/b\r\nAccept: c/d\r\n"), "accept"},
    });
}

TEST_CASE("each rule of the guard has its refusal") {
    check({
        {"CL negative", post_with("Content-Length: -1\r\n"), "bad_framing"},
        {"CL leading zero", post_with("Content-Length: 05\r\n"), "bad_framing"},
        {"CL empty", post_with("Content-Length:\r\n"), "bad_framing"},
        {"CL with space", post_with("Content-Length: 1 2\r\n"), "bad_framing"},
        {"CL hexadecimal", post_with("Content-Length: 0x5\r\n"), "bad_framing"},
        {"CL beyond 64 bits", post_with("Content-Length: 99999999999999999999\r\n"), "bad_framing"},
        {"TE with parameter", post_with("Transfer-Encoding: chunked;q=1\r\n"), "bad_framing"},
        {"TE quoted", post_with("Transfer-Encoding: \"chunked\"\r\n"), "bad_framing"},
        {"TE with vertical tab", post_with("Transfer-Encoding: \vchunked\r\n"), "bad_header"},
        {"TE empty", post_with("Transfer-Encoding:\r\n"), "bad_framing"},
        {"Host empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "bad_host"},
        {"Host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "bad_host"},
        {"Host with user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "bad_host"},
        {"Host list", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "bad_host"},
        {"Host port 0", "GET / HTTP/1.1\r\nHost: a:0\r\n\r\n", "bad_host"},
        {"Host port too high", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "bad_host"},
        {"Host without bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "bad_host"},
        {"HTTP/1.0 without Host", "GET / HTTP/1.0\r\n\r\n", "bad_host"},
        {"control byte", get_with("X: a\x01\r\n"), "bad_header"},
        {"DEL", get_with("X: a\x7F\r\n"), "bad_header"},
        {"bare CR", get_with("X: a\rb\r\n"), "bad_framing"},
        {"name with space", get_with("X Y: a\r\n"), "bad_header"},
        {"no name", get_with(": a\r\n"), "bad_header"},
        {"no colon", get_with("abc\r\n"), "bad_header"},
        {"name beyond ASCII", get_with("Content-Length\xC3\x9F: 3\r\n"), "bad_header"},
        {"Content_Length", get_with("Content_Length: 5\r\n"), "bad_header"},
        {"transfer_encoding", get_with("transfer_encoding: chunked\r\n"), "bad_header"},
        {"X_Forwarded-For", get_with("X_Forwarded-For: ::1\r\n"), "bad_header"},
        {"Authorization twice", get_with("Authorization: a\r\nAuthorization: a\r\n"), "bad_header"},
        {"Content-Type twice", get_with("Content-Type: a/b\r\nContent-Type: a/c\r\n"),
         "bad_header"},
        {"Expect of something else", post_with("Expect: 200-ok\r\n"), "expectation_failed"},
        {"Upgrade: h2c", get_with("Connection: upgrade\r\nUpgrade: h2c\r\n"), "upgrade_refused"},
        {"Upgrade list", get_with("Connection: upgrade\r\nUpgrade: websocket, h2c\r\n"),
         "upgrade_refused"},
        {"Upgrade without Connection", get_with("Upgrade: websocket\r\n"), "upgrade_refused"},
        {"Upgrade with POST", post_with("Connection: upgrade\r\nUpgrade: websocket\r\n"),
         "upgrade_refused"},
        {"Upgrade with a body",
         get_with("Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n"),
         "upgrade_refused"},
        {"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", "method_refused"},
        {"CONNECT", "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", "method_refused"},
        {"PRI", "PRI * HTTP/1.1\r\nHost: a\r\n\r\n", "method_refused"},
        {"lower-case method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"},
        {"method with NUL", "GET\0X / HTTP/1.1\r\nHost: a\r\n\r\n"s, "bad_framing"},
        {"no method", " / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"},
        {"no version", "GET /\r\nHost: a\r\n\r\n", "bad_request_line"},
        {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"},
        {"space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"},
        {"tab for space", "GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", "bad_request_line"},
        {"HTTP/2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", "version_not_supported"},
        {"HTTP/1.01", "GET / HTTP/1.01\r\nHost: a\r\n\r\n", "version_not_supported"},
        {"http/1.1", "GET / http/1.1\r\nHost: a\r\n\r\n", "version_not_supported"},
        {"two blocks", get_with("") + get_with(""), "bad_framing"},
        {"TLS hello", "\x16\x03\x01\r\n\r\n", "bad_request_line"},
    });
}

TEST_CASE("targets that routers and proxies read differently are refused") {
    for (const char* target :
         {"/a/../b",    "/..",        "/a/.",        "/./a",        "/%2e%2e/a", "/%2E/a",
          "//",         "/a//b",      "//host/x",    "/a%2Fb",      "/a%2fb",    "/a%5Cb",
          "/a\\b",      "/a%00",      "/a%0d",       "/a%7F",       "/a%",       "/a%4",
          "/a%zz",      "/a#b",       "/a?b#c",      "/\xC3\xA4",   "/%C3",      "/%C0%AF",
          "/%ED%A0%80", "/a\"b",      "/a|b",        "a/b",         "a",         "*",
          "http:/a/",   "ftp://a/",   "http://u@a/", "http:///x",   "/a?x=%zz",  "/a?x=%FF",
          "/a?x=%00",   "/a?x=1&x=2", "/a?x&x=1",    "/a?%78=1&x=2"}) {
        INFO(target);
        CHECK(verdict_on(get_target(target)) == "bad_path");
    }
}

TEST_CASE("a target comes out decoded") {
    const auto target = parse_target("GET",
                                     "/v1/l%C3%A4nder/a+b%20c?as-of=2026-01-01T00%3A00%3A00Z&"
                                     "q=a+b%2Bc&flag&=x");
    REQUIRE(target);
    CHECK(target->path == "/v1/l\xC3\xA4nder/a+b c");
    CHECK(target->query.get("as-of") == "2026-01-01T00:00:00Z");
    CHECK(target->query.get("q") == "a b+c");
    CHECK(target->query.get("flag") == "");
    CHECK(target->query.get("") == "x");
    CHECK_FALSE(target->query.get("none"));
    CHECK(parse_target("GET", "http://Example.com:80?x=1")->path == "/");
    CHECK(parse_target("GET", "http://Example.com:80?x=1")->authority == "example.com:80");
}

TEST_CASE("only listed hosts are served when there is a list") {
    GuardLimits limits;
    limits.hosts = {"api.example.com", "[::1]:8080"};
    const auto host = [&](const std::string& name) {
        return verdict_on("GET / HTTP/1.1\r\nHost: " + name + "\r\n\r\n", limits);
    };
    CHECK(host("api.example.com") == "accept");
    CHECK(host("API.example.com:443") == "accept");
    CHECK(host("[::1]:8080") == "accept");
    CHECK(host("[::1]") == "bad_host");
    CHECK(host("[::1]:81") == "bad_host");
    CHECK(host("evil.example.com") == "bad_host");
    CHECK(host("api.example.com.evil.com") == "bad_host");
}

TEST_CASE("the limits hold to the byte") {
    const std::string host = "Host: a\r\n";
    const auto line_of = [&](std::size_t size) {
        const std::string line = "GET /" + std::string(size - 14, 'x') + " HTTP/1.1";
        return line + "\r\n" + host + "\r\n";
    };
    CHECK(verdict_on(line_of(8192)) == "accept");
    CHECK(verdict_on(line_of(8193)) == "target_too_long");

    const auto fields_of = [&](std::size_t bytes) {
        return "GET / HTTP/1.1\r\n" + host + "X: " + std::string(bytes - host.size() - 7, 'x') +
               "\r\n\r\n";
    };
    CHECK(verdict_on(fields_of(8192)) == "accept");
    CHECK(verdict_on(fields_of(8193)) == "headers_too_large");

    const auto count_of = [&](int count) {
        std::string head = "GET / HTTP/1.1\r\n" + host;
        for (int i = 1; i < count; ++i) head += "X: y\r\n";
        return head + "\r\n";
    };
    CHECK(verdict_on(count_of(64)) == "accept");
    CHECK(verdict_on(count_of(65)) == "headers_too_large");
}

TEST_CASE("an accepted header says how the request goes on") {
    const auto accepted = [](const std::string& head) {
        auto verdict = guard_head(head, {});
        REQUIRE(verdict);
        return *std::move(verdict);
    };
    CHECK(accepted(get_with("")).keep_alive);
    CHECK(accepted(get_with("")).body == BodyKind::none);
    CHECK_FALSE(accepted(get_with("Connection: Close\r\n")).keep_alive);
    CHECK_FALSE(accepted(get_with("Connection: keep-alive, close\r\n")).keep_alive);
    CHECK_FALSE(accepted("GET / HTTP/1.0\r\nHost: a\r\n\r\n").keep_alive);
    CHECK(accepted("GET / HTTP/1.0\r\nHost: a\r\nConnection: x, Keep-Alive\r\n\r\n").keep_alive);
    CHECK(accepted(post_with("Content-Length: 12\r\n")).content_length == 12);
    CHECK(accepted(post_with("Transfer-Encoding: chunked\r\n")).body == BodyKind::chunked);
    CHECK(accepted(post_with("Content-Length: 5\r\nExpect: 100-continue\r\n")).expect_continue);
    CHECK_FALSE(accepted(post_with("Expect: 100-continue\r\n")).expect_continue);
    CHECK(accepted(get_with("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"))
              .upgrade_websocket);
}

TEST_CASE("Beast reads an accepted header the same way") {
    for (const std::string& head :
         {get_with(""), get_with("Connection: close\r\n"), post_with("Content-Length: 12\r\n"),
          post_with("Content-Length: 0\r\n"), get_with("Connection: upgrade\r\n"),
          post_with("Content-Length: 99999999999\r\n"), post_with("Transfer-Encoding: chunked\r\n"),
          get_with("X:\t a b \t\r\nY:\r\nx: c\r\n"),
          get_with("Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n"),
          "GET / HTTP/1.0\r\nHost: a\r\nConnection: x, Keep-Alive\r\n\r\n"s,
          "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"s, get_target("http://a/x"),
          "GET /" + std::string(8000, 'x') +
              " HTTP/1.1\r\nHost: a\r\nX: " + std::string(8000, 'y') + "\r\n\r\n"}) {
        INFO(head);
        const auto accepted = guard_head(head, {});
        REQUIRE(accepted);
        const auto parsed = parse_head(head);
        REQUIRE(parsed);
        CHECK(same_meaning(*accepted, *parsed));
    }
}

TEST_CASE("two readings that differ in anything are noticed") {
    const std::string head = post_with("Content-Length: 12\r\n");
    const auto accepted = guard_head(head, {});
    REQUIRE(accepted);
    ParsedHead other = *parse_head(head);
    other.content_length = 13;
    CHECK_FALSE(same_meaning(*accepted, other));
    other = *parse_head(head);
    other.fields.front().second = "b";
    CHECK_FALSE(same_meaning(*accepted, other));
    other = *parse_head(head);
    other.chunked = true;
    CHECK_FALSE(same_meaning(*accepted, other));
}

TEST_CASE("the scanner gives the same answer however the bytes arrive") {
    const std::string good = post_with("Content-Length: 12\r\n") + "hello";
    const GuardLimits limits;
    HeadScanner scanner(limits);
    for (std::size_t size = 0; size < good.size() - 5; ++size) {
        const auto scanned = scanner.scan(std::string_view(good).substr(0, size));
        REQUIRE(scanned);
        CHECK_FALSE(*scanned);
    }
    const auto scanned = scanner.scan(good);
    REQUIRE(scanned);
    CHECK(*scanned == good.size() - 5);
}

}  // namespace bos::gateway
