#include "gateway/byte_stream.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <utility>

namespace bos::gateway {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto quietly = asio::as_tuple(asio::use_awaitable);

class PlainStream final : public ByteStream {
  public:
    explicit PlainStream(tcp::socket socket) : socket_(std::move(socket)) {
        error_code ignored;  // a socket that cannot do it has other troubles soon
        socket_.non_blocking(true, ignored);
    }

    asio::awaitable<error_code> handshake() override { co_return error_code(); }

    asio::awaitable<Read> read_some(asio::mutable_buffer buffer) override {
        const auto [error, bytes] = co_await socket_.async_read_some(buffer, quietly);
        co_return Read{error, bytes};
    }

    Written write_now(const Buffers& buffers) override {
        Written written;
        written.bytes = buffers[1].size() == 0 ? socket_.write_some(buffers[0], written.error)
                                               : socket_.write_some(buffers, written.error);
        if (written.error == asio::error::would_block) written.error = {};
        return written;
    }

    asio::awaitable<error_code> write(Buffers buffers) override {
        const auto [error, bytes] = co_await asio::async_write(socket_, buffers, quietly);
        co_return error;
    }

    asio::awaitable<void> end_writing() override {
        error_code ignored;
        socket_.shutdown(tcp::socket::shutdown_send, ignored);
        co_return;
    }

    tcp::socket& socket() override { return socket_; }
    [[nodiscard]] bool is_encrypted() const override { return false; }

  private:
    tcp::socket socket_;
};

class TlsStream final : public ByteStream {
  public:
    TlsStream(tcp::socket socket, asio::ssl::context& context)
        : stream_(std::move(socket), context) {}

    asio::awaitable<error_code> handshake() override {
        const auto [error] =
            co_await stream_.async_handshake(asio::ssl::stream_base::server, quietly);
        co_return error;
    }

    asio::awaitable<Read> read_some(asio::mutable_buffer buffer) override {
        auto [error, bytes] = co_await stream_.async_read_some(buffer, quietly);
        // A peer that closes without close_notify has ended. Safe here: a request's end is known
        // from its framing, never from the end of the connection.
        if (error == asio::ssl::error::stream_truncated) error = asio::error::eof;
        co_return Read{error, bytes};
    }

    Written write_now(const Buffers& /*buffers*/) override { return {}; }

    asio::awaitable<error_code> write(Buffers buffers) override {
        const auto [error, bytes] = co_await asio::async_write(stream_, buffers, quietly);
        co_return error;
    }

    asio::awaitable<void> end_writing() override {
        // Sends close_notify and waits for the peer's, under the caller's time-out.
        co_await stream_.async_shutdown(quietly);
        error_code ignored;
        stream_.next_layer().shutdown(tcp::socket::shutdown_send, ignored);
    }

    tcp::socket& socket() override { return stream_.next_layer(); }
    [[nodiscard]] bool is_encrypted() const override { return true; }

  private:
    asio::ssl::stream<tcp::socket> stream_;
};

}  // namespace

std::unique_ptr<ByteStream> plain_stream(tcp::socket socket) {
    return std::make_unique<PlainStream>(std::move(socket));
}

std::unique_ptr<ByteStream> tls_stream(tcp::socket socket, asio::ssl::context& context) {
    return std::make_unique<TlsStream>(std::move(socket), context);
}

}  // namespace bos::gateway
