#include "gateway/chunked_body.h"
#include "gateway/framing_guard.h"
#include "tests/gateway/raw_client.h"
#include "tests/gateway/test_server.h"

#include <boost/json/parse.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;

namespace bos::gateway {

namespace {

struct Case {
    std::string id;
    std::string expect;
    bool has_settings = false;
    std::size_t requests = 0;  // complete ones, when accepted
    std::string raw;
};

/// Standard alphabet with padding.
std::string from_base64(std::string_view text) {
    static constexpr std::string_view alphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    unsigned bits = 0;
    int count = 0;
    for (const char c : text) {
        if (c == '=') break;
        bits = bits << 6 | static_cast<unsigned>(alphabet.find(c));
        count += 6;
        if (count >= 8) {
            count -= 8;
            out.push_back(static_cast<char>(bits >> count & 0xFFU));
        }
    }
    return out;
}

std::string lower_case(std::string text) {
    std::ranges::transform(text, text.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

/// The Host that fits a request line: that of an absolute target, else any.
std::string host_line_for(const std::string& request_line) {
    const std::size_t scheme = request_line.find("://");
    if (scheme == std::string::npos) return "Host: h\r\n";
    const std::size_t start = scheme + 3;
    return "Host: " + request_line.substr(start, request_line.find_first_of("/? ", start) - start) +
           "\r\n";
}

/// Puts a Host after the request line at `start`.
void insert_host(std::string& raw, std::size_t start) {
    const std::size_t end = raw.find("\r\n", start);
    if (end != std::string::npos) {
        raw.insert(end + 2, host_line_for(raw.substr(start, end - start)));
    }
}

/// Most cases were written for bare parsers: no Host, and one source drops the last CRLF of each.
/// With these put right the other rules come to bear.
std::string completed(const Case& one, const std::string& source) {
    std::string raw = one.raw;
    if (source.starts_with("llhttp") && raw.ends_with("\r\n")) raw += "\r\n";
    if (lower_case(raw).find("\nhost:") != std::string::npos) return raw;
    insert_host(raw, raw.starts_with("\r\n") ? 2 : 0);
    // A second request has "METHOD /path HTTP/1.1" after an empty line or a body's end.
    for (std::size_t i = raw.find("\r\n"); one.requests > 1 && i != std::string::npos;
         i = raw.find("\r\n", i + 2)) {
        const std::size_t end = raw.find("\r\n", i + 2);
        if (end == std::string::npos) break;
        const std::string line = raw.substr(i + 2, end - i - 2);
        if (line.ends_with(" HTTP/1.1") || line.ends_with(" HTTP/1.0")) insert_host(raw, i + 2);
    }
    return raw;
}

struct Cases {
    std::vector<Case> as_they_are;
    std::vector<Case> completed;
};

Cases read_cases(const fs::path& file) {
    Cases cases;
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
        const boost::json::object value = boost::json::parse(line).as_object();
        Case one;
        one.id = value.at("id").as_string();
        one.expect = value.at("expect").as_string();
        one.has_settings = value.contains("parser_settings");
        if (const auto* count = value.if_contains("complete_messages")) {
            one.requests = count->to_number<std::size_t>();
        }
        if (const auto* list = value.if_contains("requests"))
            one.requests = list->as_array().size();
        one.raw = from_base64(std::string(value.at("raw_b64").as_string()));
        cases.as_they_are.push_back(one);
        one.raw = completed(one, std::string(value.at("source").as_string()));
        cases.completed.push_back(one);
    }
    return cases;
}

/// What guard and decoder make of a byte stream, without a server.
struct Reading {
    std::size_t complete = 0;  // requests read to their end
    bool refused = false;
    bool incomplete = false;
};

Reading read_offline(std::string_view bytes) {
    const GuardLimits limits;
    Reading reading;
    while (!bytes.empty()) {
        if (bytes.starts_with("\r\n")) bytes.remove_prefix(2);
        if (bytes.empty()) break;
        HeadScanner scanner(limits);
        const auto size = scanner.scan(bytes);
        reading.refused = !size;
        reading.incomplete = size && !*size;
        if (reading.refused || reading.incomplete) break;
        const auto head = guard_head(bytes.substr(0, **size), limits);
        reading.refused = !head || head->upgrade_websocket;
        if (reading.refused) break;
        bytes.remove_prefix(**size);
        if (head->body == BodyKind::content_length) {
            reading.incomplete = bytes.size() < head->content_length;
            if (reading.incomplete) break;
            bytes.remove_prefix(static_cast<std::size_t>(head->content_length));
        }
        if (head->body == BodyKind::chunked) {
            std::string body;
            ChunkedDecoder decoder(1 << 20);
            const auto progress = decoder.feed(bytes, body);
            reading.refused = !progress;
            reading.incomplete = progress && !progress->complete;
            if (reading.refused || reading.incomplete) break;
            bytes.remove_prefix(progress->consumed);
        }
        ++reading.complete;
        if (!head->keep_alive) break;
    }
    return reading;
}

Reading read_by_server(std::uint16_t port, const std::string& bytes) {
    RawClient client(port);
    client.send(bytes);
    client.end_sending();
    std::string received = client.read_all();
    CHECK(client.closed());
    Reading reading;
    // Only an accepted HEAD is answered without body: of a refused one nothing is certain.
    const auto method = [&] {
        const bool accepted = received.starts_with("HTTP/1.1 200");
        return accepted && bytes.starts_with("HEAD") ? "HEAD" : "GET";
    };
    while (const auto answer = RawClient::take_answer(received, method())) {
        if (answer->status == 200) {
            CHECK_FALSE(reading.refused);  // nothing may follow a refusal
            ++reading.complete;
        } else {
            const std::string code(
                boost::json::parse(answer->body).as_object().at("code").as_string());
            reading.incomplete = code == "incomplete_request";
            reading.refused = !reading.incomplete;
            // A framing answer is 4xx; only the WebSocket that is not there yet is 501.
            CHECK((answer->status / 100 == 4 || answer->status == 501));
            CHECK(answer->headers.get("connection") == "close");
        }
    }
    CHECK(received.empty());
    return reading;
}

/// Accepted elsewhere, refused here, and why. Of the completed forms.
const std::map<std::string, std::string> stricter{
    {"0041", "trailers"},
    {"0115", "trailers"},
    {"b-0043", "chunk extensions"},
    {"b-0061", "chunk extensions"},
    {"0047", "a transfer coding besides chunked"},
    {"0050", "a transfer coding besides chunked"},
    {"0051", "a transfer coding besides chunked"},
    {"0125", "a transfer coding besides chunked"},
    {"b-0041", "a transfer coding besides chunked, and Content-Length"},
    {"b-0049", "a transfer coding besides chunked"},
    {"b-0063", "a transfer coding besides chunked"},
    {"b-0064", "a transfer coding besides chunked"},
    {"b-0106", "a transfer coding besides chunked"},
    {"0101", "leading zeros in Content-Length"},
    {"b-0093", "leading zeros in Content-Length"},
    {"0042", "a quote in the path (RFC 3986 3.3)"},
    {"b-0080", "a quote in the path (RFC 3986 3.3)"},
    {"0048", "raw bytes beyond ASCII in the path (RFC 3986 3.3)"},
    {"b-0056", "empty path segments"},
    {"b-0039", "a fragment in the target"},
    {"b-0083", "a fragment in the target"},
    {"0061", "user information in the target (RFC 9110 4.2.4)"},
    {"0086", "user information in the target (RFC 9110 4.2.4)"},
    {"0062", "CONNECT"},
    {"b-0067", "CONNECT"},
    {"0074", "* with a method other than OPTIONS"},
    {"0069", "no HTTP version"},
    {"0078", "a version other than HTTP/1.0 and HTTP/1.1"},
    {"0079", "a version other than HTTP/1.0 and HTTP/1.1"},
    {"b-0079", "a version other than HTTP/1.0 and HTTP/1.1"},
    {"b-0044", "two If-Match fields"},
    {"b-0054", "Transfer_Encoding and Content_Length"},
    {"0052", "its body is shorter than its Content-Length: incomplete"},
    {"0111", "its body is missing: incomplete"},
};
/// Refused elsewhere, accepted here, and why.
const std::map<std::string, std::string> milder{
    {"0004", "that parser's request line ends at 4094 bytes, ours at 8192"},
    {"0006", "a limit set for the case"},
    {"0007", "a limit set for the case"},
    {"0008", "a limit set for the case"},
    {"0014", "forwarded headers are not trusted, so they may contradict each other"},
    {"0089", "what follows a closing request is not read (RFC 9112 9.6)"},
    {"0095", "what follows a closing request is not read (RFC 9112 9.6)"},
    {"0096", "what follows a closing request is not read (RFC 9112 9.6)"},
    {"0136", "an unknown method is the router's to refuse (405)"},
    {"b-0109", "an unknown method is the router's to refuse (405)"},
};

fs::path data_file() {
    const char* source = std::getenv("BOS_SOURCE_DIR");
    return fs::path(source == nullptr ? "." : source) / "../shared/data/http/http1_requests.jsonl";
}

template <class Read>
void check_cases(const char* name, const Read& read) {
    if (!fs::exists(data_file())) {
        std::cout << "skipped: no ../shared/data/http\n";
        return;
    }
    const Cases cases = read_cases(data_file());
    std::map<std::string, int> counts;
    for (const Case& one : cases.as_they_are) {
        INFO(one.id);
        const Reading reading = read(one.raw);
        if (one.expect == "incomplete") CHECK(reading.complete == 0);
        if (one.expect == "accept") CHECK(reading.complete <= one.requests);
        if (one.expect == "reject" && !milder.contains(one.id)) {
            CHECK(reading.complete == 0);
            CHECK((reading.refused || reading.incomplete));
        }
    }
    for (const Case& one : cases.completed) {
        INFO(one.id);
        const Reading reading = read(one.raw);
        if (one.expect == "accept" && !one.has_settings && !stricter.contains(one.id)) {
            CHECK(reading.complete == one.requests);
            ++counts["accepted as expected"];
        } else if (one.expect == "accept") {
            CHECK(reading.complete <= one.requests);
            ++counts["accepted elsewhere, by lenient settings or our exceptions"];
        } else if (one.expect == "reject" && !milder.contains(one.id)) {
            CHECK(reading.complete == 0);
            CHECK((reading.refused || reading.incomplete));
            ++counts["refused as expected"];
        } else {
            CHECK(reading.complete <= 1);
            ++counts[one.expect == "reject" ? "refused elsewhere, our exceptions" : "incomplete"];
        }
    }
    for (const auto& [what, count] : counts)
        std::cout << name << ": " << count << ' ' << what << '\n';
}

}  // namespace

TEST_CASE("guard and decoder read requests of other projects as they say") {
    check_cases("guard", read_offline);
}

TEST_CASE("the server ends requests of other projects where they end") {
    ServerOptions options = test_options();
    options.connections_per_peer_max = 1000;
    TestServer server(options);
    check_cases("server",
                [&](const std::string& raw) { return read_by_server(server.port(), raw); });
}

}  // namespace bos::gateway
