#pragma once

#include "gateway/http.h"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <netinet/in.h>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace bos::gateway {

struct Answer {
    int status = 0;
    Headers headers;
    std::string body;
};

/// A blocking TCP client on the loopback that sends exactly the bytes it is given. A read that gets
/// nothing for 20 s gives up, so that a broken server fails a test instead of hanging it.
class RawClient {
  public:
    explicit RawClient(std::uint16_t port) : RawClient() { connect(port); }
    RawClient() : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        const timeval patience{20, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    }
    ~RawClient() { ::close(socket_); }
    RawClient(const RawClient&) = delete;
    RawClient& operator=(const RawClient&) = delete;

    bool connect(std::uint16_t port) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        return ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    }

    /// False when the server has closed.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }
    void end_sending() { ::shutdown(socket_, SHUT_WR); }

    /// All that comes until the server closes; closed() then says whether it did.
    std::string read_all() {
        while (read_some()) {
        }
        return std::exchange(received_, {});
    }
    [[nodiscard]] bool closed() const { return closed_; }

    /// The next answer, final or interim; none if the server closed before its end.
    std::optional<Answer> read_answer(std::string_view method = "GET") {
        while (true) {
            if (auto answer = take_answer(received_, method)) return answer;
            if (!read_some()) return std::nullopt;
        }
    }

    std::optional<Answer> ask(std::string_view request, std::string_view method = "GET") {
        send(request);
        return read_answer(method);
    }

    /// Cuts the first answer off `bytes`.
    static std::optional<Answer> take_answer(std::string& bytes, std::string_view method) {
        const std::size_t end = bytes.find("\r\n\r\n");
        if (end == std::string::npos || !bytes.starts_with("HTTP/1.1 ")) return std::nullopt;
        Answer answer;
        answer.status = std::atoi(bytes.c_str() + 9);
        std::string_view lines(bytes.data(), end);
        while (!lines.empty()) {
            const std::string_view line = lines.substr(0, lines.find("\r\n"));
            lines.remove_prefix(std::min(lines.size(), line.size() + 2));
            const std::size_t colon = line.find(": ");
            if (colon != std::string_view::npos) {
                answer.headers.add(line.substr(0, colon), std::string(line.substr(colon + 2)));
            }
        }
        std::size_t size = 0;
        const bool has_body = method != "HEAD" && answer.status >= 200 && answer.status != 204;
        if (const auto length = answer.headers.get("content-length"); length && has_body) {
            size = static_cast<std::size_t>(std::atoll(std::string(*length).c_str()));
        }
        if (bytes.size() < end + 4 + size) return std::nullopt;
        answer.body = bytes.substr(end + 4, size);
        bytes.erase(0, end + 4 + size);
        return answer;
    }

  private:
    bool read_some() {
        std::array<char, 16384> block;
        const ssize_t size = ::recv(socket_, block.data(), block.size(), 0);
        if (size > 0) {
            received_.append(block.data(), static_cast<std::size_t>(size));
            return true;
        }
        closed_ = size == 0 || errno == ECONNRESET;
        return false;
    }

    int socket_;
    bool closed_ = false;
    std::string received_;
};

}  // namespace bos::gateway
