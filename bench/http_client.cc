#include "bench/http_client.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <charconv>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace bos::bench {

namespace {

constexpr std::string_view head_end = "\r\n\r\n";

std::size_t content_length(std::string_view head) {
    constexpr std::string_view name = "\r\nContent-Length: ";
    const std::size_t at = head.find(name);
    std::size_t length = 0;
    if (at == std::string_view::npos) throw std::runtime_error("an answer without a length");
    std::from_chars(head.data() + at + name.size(), head.data() + head.size(), length);
    return length;
}

}  // namespace

HttpClient::HttpClient(std::uint16_t port)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int on = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        throw std::runtime_error(fmt::format("cannot connect to port {}", port));
    }
}

HttpClient::~HttpClient() {
    if (socket_ >= 0) ::close(socket_);
}

HttpClient::HttpClient(HttpClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)),
      received_(std::move(other.received_)),
      body_at_(other.body_at_) {}

std::string_view HttpClient::exchange(std::string_view request) {
    if (ask(request) / 100 != 2) throw std::runtime_error("answer: " + received_);
    return body();
}

int HttpClient::ask(std::string_view request) {
    constexpr std::string_view version = "HTTP/1.1 ";
    send(request);
    received_.clear();
    std::size_t head = std::string::npos;
    while ((head = received_.find(head_end)) == std::string::npos) receive_more();
    body_at_ = head + head_end.size();
    const std::size_t length = content_length(std::string_view(received_).substr(0, head));
    while (received_.size() < body_at_ + length) receive_more();
    int status = 0;
    std::from_chars(received_.data() + version.size(), received_.data() + head, status);
    return status;
}

void HttpClient::send(std::string_view request) {
    while (!request.empty()) {
        const ssize_t sent = ::send(socket_, request.data(), request.size(), MSG_NOSIGNAL);
        if (sent <= 0) throw std::runtime_error("a server closed the connection");
        request.remove_prefix(static_cast<std::size_t>(sent));
    }
}

void HttpClient::receive_more() {
    constexpr std::size_t piece = 64 * 1024;
    const std::size_t size = received_.size();
    ssize_t read = 0;
    received_.resize_and_overwrite(size + piece, [&](char* bytes, std::size_t) {
        read = ::recv(socket_, bytes + size, piece, 0);
        return size + static_cast<std::size_t>(read > 0 ? read : 0);
    });
    if (read <= 0) throw std::runtime_error("a server closed the connection");
}

std::string http_request(std::string_view method, std::string_view target, std::string_view key,
                         std::string_view body, std::string_view fields) {
    std::string request = fmt::format(
        "{} {} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n", method, target, key);
    if (!body.empty()) {
        request +=
            fmt::format("Content-Type: application/json\r\nContent-Length: {}\r\n", body.size());
    }
    request += fields;
    request += "\r\n";
    request += body;
    return request;
}

}  // namespace bos::bench
