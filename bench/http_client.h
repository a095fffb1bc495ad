#pragma once

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

  private:
    void send(std::string_view request);
    void receive_more();

    int socket_;
    std::string received_;
};

/// The text of a request; `body` may be empty.
[[nodiscard]] std::string http_request(std::string_view method, std::string_view target,
                                       std::string_view key, std::string_view body = "");

}  // namespace bos::bench
