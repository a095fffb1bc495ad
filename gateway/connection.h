#pragma once

#include "gateway/byte_stream.h"
#include "gateway/framing_guard.h"
#include "gateway/http_server.h"
#include "gateway/problem.h"
#include "schemas/base/random.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace bos::gateway {

/// What all connections of a server share. Constant but for `stopping`.
struct ConnectionContext {
    ServerOptions options;
    Handler handler;
    ServerObserver* observer = nullptr;  // never null
    std::atomic<bool> stopping = false;
    SystemClock clock;
    SystemRandom random;
};

/// One client's connection from its handshake to its close: reads a request, has it answered,
/// writes the answer, takes the next. Owned by its coroutine. Runs on: the one thread of its
/// executor.
class Connection : public std::enable_shared_from_this<Connection> {
  public:
    /// `executor` is that of the stream's socket. `peer` is a numeric address.
    Connection(std::shared_ptr<ConnectionContext> context, std::unique_ptr<ByteStream> stream,
               boost::asio::any_io_executor executor, std::string peer);

    /// Serves until the connection is closed.
    static boost::asio::awaitable<void> serve(std::shared_ptr<Connection> connection);

    /// Closes it if no request has begun; a request in flight is the last one. Thread-safe.
    void stop();
    /// Thread-safe.
    void close_now();

  private:
    using Clock = std::chrono::steady_clock;

    /// The end of a connection: with a last answer, or silent.
    struct Ended {
        std::optional<Problem> problem;
    };
    template <class T>
    using Step = std::expected<T, Ended>;

    /// What must be known about a request until its answer is written.
    struct Exchange {
        bool keep_alive = false;
        int version_minor = 1;
        bool without_body = false;
        Uuid id;
    };

    /// A request whose header was accepted.
    struct Incoming {
        Request request;
        BodyKind body = BodyKind::none;
        std::uint64_t content_length = 0;
        bool expect_continue = false;
    };

    /// For the end of a header block.
    struct HeadSearch {
        explicit HeadSearch(const GuardLimits& limits) : scanner(limits) {}
        HeadScanner scanner;
        bool skipped_empty_line = false;
    };

    enum class OnExpiry : std::uint8_t {
        cancel,  ///< ends the pending operation; the connection can still be written to
        close,
    };

    boost::asio::awaitable<void> run();
    /// False when it was the last one.
    boost::asio::awaitable<bool> serve_request();
    /// Always false, as it was the last one.
    boost::asio::awaitable<bool> refuse(Ended ended);
    boost::asio::awaitable<Step<void>> wait_for_request();
    /// The size of the next request's header block, if it is all there.
    [[nodiscard]] Step<std::optional<std::size_t>> find_head(HeadSearch& search);
    /// Never empty.
    boost::asio::awaitable<Step<std::optional<std::size_t>>> read_rest_of_head(HeadSearch search);
    [[nodiscard]] Step<Incoming> judge_head(std::size_t size);
    /// `kind` is not none.
    boost::asio::awaitable<Step<std::string>> read_body(BodyKind kind, std::uint64_t length,
                                                        bool expect_continue);
    /// Appends to buffer_. `Ended` is silent for a lost or ended connection; see timed_out().
    boost::asio::awaitable<Step<std::size_t>> read_more(Clock::time_point deadline);
    boost::asio::awaitable<Response> answer(Request request);
    /// False when the answer could not be written.
    boost::asio::awaitable<bool> write(Response response, bool keep_alive);
    boost::asio::awaitable<void> linger();

    [[nodiscard]] Clock::time_point body_deadline(Clock::time_point start,
                                                  std::size_t received) const;
    /// Each read and write has a deadline, and nearly none is missed: so the timer is not set for
    /// each, but runs out now and then and is set again for what is awaited then.
    void arm(Clock::time_point deadline, OnExpiry on_expiry);
    void disarm();
    void run_timer_until(Clock::time_point time);
    void timer_ran_out(std::uint64_t generation);
    /// Bytes of the client wait to be read.
    [[nodiscard]] bool has_input();
    void close();

    // Constant after construction.
    const std::shared_ptr<ConnectionContext> context_;
    const std::unique_ptr<ByteStream> stream_;
    const boost::asio::any_io_executor executor_;
    const std::string peer_;

    // Touched only on the executor's thread.
    boost::asio::steady_timer timer_;
    bool timer_runs_ = false;
    std::uint64_t timer_generation_ = 0;
    std::optional<Clock::time_point> deadline_;  // of what is awaited
    OnExpiry on_expiry_ = OnExpiry::close;
    bool expired_ = false;
    bool peer_ended_ = false;
    bool waiting_ = false;  // no byte of a next request has come
    bool must_linger_ = false;
    std::string buffer_;  // received, not yet consumed
    std::string output_;  // its memory is used again
    Exchange exchange_;
};

}  // namespace bos::gateway
