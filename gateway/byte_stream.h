#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>

#include <array>
#include <cstddef>
#include <memory>

namespace bos::gateway {

/// A TCP connection, with or without TLS. Runs on: the connection's thread. One read and one write
/// at a time. Time-outs are the caller's: it closes or cancels the socket.
class ByteStream {
  public:
    struct Read {
        boost::system::error_code error;  ///< eof when the peer ended properly
        std::size_t bytes = 0;
    };
    using Buffers = std::array<boost::asio::const_buffer, 2>;

    struct Written {
        boost::system::error_code error;
        std::size_t bytes = 0;
    };

    virtual ~ByteStream() = default;
    [[nodiscard]] virtual boost::asio::awaitable<boost::system::error_code> handshake() = 0;
    [[nodiscard]] virtual boost::asio::awaitable<Read> read_some(
        boost::asio::mutable_buffer buffer) = 0;
    /// What goes out without waiting: most answers as a whole, of some streams nothing.
    [[nodiscard]] virtual Written write_now(const Buffers& buffers) = 0;
    [[nodiscard]] virtual boost::asio::awaitable<boost::system::error_code> write(
        Buffers buffers) = 0;
    /// Says that nothing more will be written.
    [[nodiscard]] virtual boost::asio::awaitable<void> end_writing() = 0;
    [[nodiscard]] virtual boost::asio::ip::tcp::socket& socket() = 0;
    [[nodiscard]] virtual bool is_encrypted() const = 0;
};

[[nodiscard]] std::unique_ptr<ByteStream> plain_stream(boost::asio::ip::tcp::socket socket);
/// `context` must outlive the stream.
[[nodiscard]] std::unique_ptr<ByteStream> tls_stream(boost::asio::ip::tcp::socket socket,
                                                     boost::asio::ssl::context& context);

}  // namespace bos::gateway
