#include "gateway/response_writer.h"

#include <doctest/doctest.h>

#include <string>

namespace bos::gateway {

namespace {

ResponseFraming framing() {
    return {.request_id = *parse_uuid("01890a5d-ac96-774b-bcce-b302099a8057"),
            .now = *parse_timestamp("2026-11-06T08:49:37Z")};
}

bool has_line(const std::string& head, const std::string& line) {
    return head.find("\r\n" + line + "\r\n") != std::string::npos;
}

}  // namespace

TEST_CASE("an answer's header is complete and safe for browsers") {
    const auto head = response_head(json_response(200, "{}"), framing());
    REQUIRE(head);
    CHECK(head->starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(head->ends_with("\r\n\r\n"));
    for (const char* line :
         {"Date: Fri, 06 Nov 2026 08:49:37 GMT", "Content-Length: 2",
          "Request-Id: 01890a5d-ac96-774b-bcce-b302099a8057", "Content-Type: application/json",
          "Cache-Control: no-store", "X-Content-Type-Options: nosniff",
          "Referrer-Policy: no-referrer", "Cross-Origin-Resource-Policy: same-origin",
          "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'"}) {
        INFO(line);
        CHECK(has_line(*head, line));
    }
    CHECK(head->find("Server:") == std::string::npos);
    CHECK(head->find("Connection:") == std::string::npos);
    CHECK(head->find("Strict-Transport-Security") == std::string::npos);
}

TEST_CASE("a page may load its own files and no inline script") {
    const auto head = response_head(text_response(200, "text/html; charset=utf-8", ""), framing());
    REQUIRE(head);
    CHECK(head->find("script-src 'self'") != std::string::npos);
    CHECK(head->find("unsafe-inline") == std::string::npos);
}

TEST_CASE("an answer follows its connection") {
    ResponseFraming last = framing();
    last.keep_alive = false;
    CHECK(has_line(*response_head({}, last), "Connection: close"));
    ResponseFraming old = framing();
    old.version_minor = 0;
    CHECK(has_line(*response_head({}, old), "Connection: keep-alive"));
    ResponseFraming tls = framing();
    tls.over_tls = true;
    CHECK(response_head({}, tls)->find("Strict-Transport-Security: ") != std::string::npos);
    Response empty;
    empty.status = 204;
    CHECK(response_head(empty, framing())->find("Content-Length") == std::string::npos);
}

TEST_CASE("a handler may loosen the caching of a public file") {
    Response response = text_response(200, "text/css", "");
    response.headers.set("cache-control", "public, max-age=60");
    const auto head = response_head(response, framing());
    REQUIRE(head);
    CHECK(has_line(*head, "cache-control: public, max-age=60"));
    CHECK(head->find("no-store") == std::string::npos);
}

TEST_CASE("a header value cannot split the answer") {
    for (const char* value :
         {"/x\r\nSet-Cookie: a=b", "/x\n", "/x\r", "/x\x7F", "/x\x01", "/\xC3\xA4"}) {
        INFO(value);
        Response response;
        response.headers.set("Location", value);
        CHECK_FALSE(response_head(response, framing()));
    }
    for (const char* name : {"Bad Name", "", "X\r\nY", "Content-Length", "transfer-encoding",
                             "Connection", "Server", "Date"}) {
        INFO(name);
        Response response;
        response.headers.add(name, "1");
        CHECK_FALSE(response_head(response, framing()));
    }
    Response response;
    response.status = 1000;
    CHECK_FALSE(response_head(response, framing()));
}

}  // namespace bos::gateway
