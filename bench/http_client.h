#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bos::bench {

/// One keep-alive connection with a blocking socket. Writes a request as it is and reads one answer
/// with a Content-Length; the same few lines for every server that is measured.
class HttpClient {
  public:
    explicit HttpClient(std::uint16_t port);
    ~HttpClient();
    HttpClient(HttpClient&& other) noexcept;
    HttpClient& operator=(HttpClient&&) = delete;

    /// Sends and waits. The body is valid until the next exchange. Throws unless the status is 2xx.
    std::string_view exchange(std::string_view request);
    /// The same for whoever takes every status, which is returned.
    int ask(std::string_view request);
    /// Of the last answer.
    [[nodiscard]] std::string_view body() const {
        return std::string_view(received_).substr(body_at_);
    }

  private:
    void send(std::string_view request);
    void receive_more();

    int socket_;
    std::string received_;
    std::size_t body_at_ = 0;
};

/// The text of a request; `body` may be empty. `fields` are further lines of its header, each with
/// its line end.
[[nodiscard]] std::string http_request(std::string_view method, std::string_view target,
                                       std::string_view key, std::string_view body = "",
                                       std::string_view fields = "");

}  // namespace bos::bench
