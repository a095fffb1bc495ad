#include "gateway/connection.h"

#include "gateway/chunked_body.h"
#include "gateway/framing_guard.h"
#include "gateway/head_parser.h"
#include "gateway/response_writer.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <exception>
#include <typeinfo>
#include <utility>

namespace bos::gateway {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

constexpr std::size_t read_bytes = 8192;
/// How much of a refused request is read and thrown away so that its answer arrives.
constexpr std::size_t linger_bytes_max = std::size_t{4} << 20;

Headers headers_of(const ParsedHead& head) {
    std::vector<Headers::Field> fields;
    fields.reserve(head.fields.size());
    for (const auto& [name, value] : head.fields) fields.emplace_back(name, value);
    return Headers(std::move(fields));
}

constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

Connection::Connection(std::shared_ptr<ConnectionContext> context,
                       std::unique_ptr<ByteStream> stream, asio::any_io_executor executor,
                       std::string peer)
    : context_(std::move(context)),
      stream_(std::move(stream)),
      executor_(std::move(executor)),
      peer_(std::move(peer)),
      timer_(executor_) {}

asio::awaitable<void> Connection::serve(std::shared_ptr<Connection> connection) {
    co_await connection->run();
    connection->close();
}

asio::awaitable<void> Connection::run() {
    arm(Clock::now() + context_->options.tls_handshake_timeout, OnExpiry::close);
    const error_code error = co_await stream_->handshake();
    disarm();
    if (error) co_return;
    bool has_next = true;
    while (has_next) has_next = co_await serve_request();
    if (must_linger_) co_await linger();
}

asio::awaitable<bool> Connection::serve_request() {
    exchange_ = {.id = new_uuid(context_->clock.now(), context_->random)};

    const Step<void> begun = co_await wait_for_request();
    if (!begun) co_return false;
    Ended ended;
    const Step<std::size_t> head_size = co_await read_head();
    if (head_size) {
        Step<Incoming> incoming = judge_head(*head_size);
        if (incoming) {
            Step<std::string> body = co_await read_body(incoming->body, incoming->content_length,
                                                        incoming->expect_continue);
            if (body) {
                incoming->request.body = *std::move(body);
                Response response = co_await answer(std::move(incoming->request));
                const bool keep_alive = exchange_.keep_alive && !context_->stopping;
                const bool written = co_await write(std::move(response), keep_alive);
                must_linger_ = written && !exchange_.keep_alive;
                co_return written&& exchange_.keep_alive;
            }
            ended = std::move(body).error();
        } else {
            ended = std::move(incoming).error();
        }
    } else {
        ended = head_size.error();
    }
    if (ended.problem) {
        context_->observer->refused(ended.problem->code);
        must_linger_ = co_await write(to_response(*ended.problem), false);
    }
    co_return false;
}

asio::awaitable<Connection::Step<void>> Connection::wait_for_request() {
    if (!buffer_.empty()) co_return Step<void>();  // pipelined
    if (context_->stopping && !has_input()) co_return std::unexpected(Ended{});
    waiting_ = true;
    const Step<std::size_t> read =
        co_await read_more(Clock::now() + context_->options.keep_alive_timeout);
    waiting_ = false;
    if (!read) co_return std::unexpected(Ended{});
    co_return Step<void>();
}

asio::awaitable<Connection::Step<std::size_t>> Connection::read_head() {
    const Clock::time_point deadline = Clock::now() + context_->options.header_timeout;
    HeadScanner scanner(context_->options.guard);
    bool skipped_empty_line = false;
    while (true) {
        // RFC 9112 2.2: old clients send an empty line after a body.
        if (!skipped_empty_line && buffer_.starts_with("\r\n")) {
            buffer_.erase(0, 2);
            skipped_empty_line = true;
        }
        const bool may_be_empty_line = !skipped_empty_line && buffer_ == "\r";
        if (!may_be_empty_line) {
            const auto scanned = scanner.scan(buffer_);
            if (!scanned) {
                co_return std::unexpected(
                    Ended{Problem::of(scanned.error().kind, std::string(scanned.error().reason))});
            }
            if (*scanned) co_return **scanned;
        }
        const Step<std::size_t> read = co_await read_more(deadline);
        if (read) continue;
        if (expired_) co_return std::unexpected(Ended{Problem::of(problems::request_timeout)});
        if (peer_ended_ && !buffer_.empty()) {
            co_return std::unexpected(Ended{Problem::of(problems::incomplete_request)});
        }
        co_return std::unexpected(read.error());
    }
}

Connection::Step<Connection::Incoming> Connection::judge_head(std::size_t size) {
    const std::string_view bytes(buffer_.data(), size);
    auto head = guard_head(bytes, context_->options.guard);
    if (!head) {
        return std::unexpected(
            Ended{Problem::of(head.error().kind, std::string(head.error().reason))});
    }
    const std::optional<ParsedHead> parsed = parse_head(bytes);
    if (!parsed || !same_meaning(*head, *parsed)) {
        spdlog::warn("gateway: two parsers differ about a request's header, request {}",
                     to_string(exchange_.id));
        return std::unexpected(Ended{Problem::of(problems::bad_framing, "ambiguous header")});
    }
    // From here on an answer may follow HEAD's rules.
    exchange_.version_minor = head->version_minor;
    exchange_.without_body = head->method == "HEAD";
    if (head->upgrade_websocket) {
        // The WebSocket session takes stream_ and what is left in buffer_ over at this place.
        return std::unexpected(Ended{Problem::of(problems::websocket_not_available)});
    }
    if (head->content_length > context_->options.body_bytes_max) {
        return std::unexpected(Ended{Problem::of(problems::body_too_large)});
    }
    exchange_.keep_alive = head->keep_alive;

    Incoming incoming;
    incoming.request.method = parsed->method;
    incoming.request.path = std::move(head->target.path);
    incoming.request.query = std::move(head->target.query);
    incoming.request.headers = headers_of(*parsed);
    incoming.request.peer = peer_;
    incoming.request.received_at = context_->clock.now();
    incoming.request.id = exchange_.id;
    incoming.body = head->body;
    incoming.content_length = head->content_length;
    incoming.expect_continue = head->expect_continue;
    buffer_.erase(0, size);
    return incoming;
}

asio::awaitable<Connection::Step<std::string>> Connection::read_body(BodyKind kind,
                                                                     std::uint64_t length,
                                                                     bool expect_continue) {
    std::string body;
    if (kind == BodyKind::none) co_return body;
    // RFC 9110 10.1.1: not needed when the body is on its way already.
    if (expect_continue && buffer_.empty()) {
        arm(Clock::now() + context_->options.write_timeout, OnExpiry::close);
        const error_code error =
            co_await stream_->write({asio::buffer(go_on.data(), go_on.size()), {}});
        disarm();
        if (error) co_return std::unexpected(Ended{});
    }
    const Clock::time_point start = Clock::now();
    std::size_t received = buffer_.size();
    ChunkedDecoder decoder(context_->options.body_bytes_max);
    while (true) {
        if (kind == BodyKind::content_length) {
            const std::size_t wanted = static_cast<std::size_t>(length) - body.size();
            const std::size_t size = std::min(wanted, buffer_.size());
            body.append(buffer_, 0, size);
            buffer_.erase(0, size);
            if (body.size() == length) co_return body;
        } else {
            const auto decoded = decoder.feed(buffer_, body);
            if (!decoded) {
                const bool too_large = decoded.error() == ChunkedDecoder::Refusal::too_large;
                co_return std::unexpected(
                    Ended{Problem::of(too_large ? problems::body_too_large : problems::bad_chunk)});
            }
            buffer_.erase(0, decoded->consumed);
            if (decoded->complete) co_return body;
        }
        const Step<std::size_t> read = co_await read_more(body_deadline(start, received));
        if (read) {
            received += *read;
            continue;
        }
        if (expired_) co_return std::unexpected(Ended{Problem::of(problems::request_timeout)});
        if (peer_ended_) {
            co_return std::unexpected(Ended{Problem::of(problems::incomplete_request)});
        }
        co_return std::unexpected(read.error());
    }
}

asio::awaitable<Connection::Step<std::size_t>> Connection::read_more(Clock::time_point deadline) {
    const std::size_t old_size = buffer_.size();
    buffer_.resize_and_overwrite(old_size + read_bytes,
                                 [](char*, std::size_t size) { return size; });
    arm(deadline, OnExpiry::cancel);
    const ByteStream::Read read =
        co_await stream_->read_some(asio::buffer(buffer_.data() + old_size, read_bytes));
    disarm();
    buffer_.resize(old_size + read.bytes);
    context_->observer->bytes_received(read.bytes);
    peer_ended_ = read.error == asio::error::eof;
    if (read.error) co_return std::unexpected(Ended{});
    expired_ = false;  // it came in time, even if the timer ran out a moment later
    co_return read.bytes;
}

asio::awaitable<Response> Connection::answer(Request request) {
    const std::string method = request.method;
    const Clock::time_point start = Clock::now();
    context_->observer->request_started();
    Response response;
    try {
        asio::awaitable<Response> handled = context_->handler(std::move(request));
        response = co_await std::move(handled);
    } catch (const std::exception& exception) {
        // Its text could quote the request.
        spdlog::error("gateway: a handler threw {}, request {}", typeid(exception).name(),
                      to_string(exchange_.id));
        response = problem_response(problems::internal);
    }
    context_->observer->request_finished(method, response.route, response.status,
                                         Clock::now() - start);
    co_return response;
}

asio::awaitable<bool> Connection::write(Response response, bool keep_alive) {
    exchange_.keep_alive = keep_alive;
    ResponseFraming framing{.keep_alive = keep_alive,
                            .version_minor = exchange_.version_minor,
                            .without_body = exchange_.without_body,
                            .over_tls = stream_->is_encrypted(),
                            .request_id = exchange_.id,
                            .now = context_->clock.now()};
    auto head = response_head(response, framing);
    if (!head) {
        spdlog::error("gateway: an answer was refused: {}, request {}", head.error(),
                      to_string(exchange_.id));
        response = problem_response(problems::internal);
        framing.keep_alive = exchange_.keep_alive = false;
        head = response_head(response, framing);
        if (!head) co_return false;
    }
    const bool with_body = !exchange_.without_body && status_has_body(response.status);
    const std::string_view body = with_body ? std::string_view(response.body) : "";

    arm(Clock::now() + context_->options.write_timeout, OnExpiry::close);
    const error_code error =
        co_await stream_->write({asio::buffer(*head), asio::buffer(body.data(), body.size())});
    disarm();
    if (!error) context_->observer->bytes_sent(head->size() + body.size());
    co_return !error;
}

asio::awaitable<void> Connection::linger() {
    arm(Clock::now() + context_->options.linger_timeout, OnExpiry::close);
    co_await stream_->end_writing();
    std::size_t discarded = 0;
    buffer_.resize(read_bytes);
    while (discarded < linger_bytes_max && !expired_) {
        const auto [error, bytes] = co_await stream_->socket().async_read_some(
            asio::buffer(buffer_), asio::as_tuple(asio::use_awaitable));
        if (error) break;
        discarded += bytes;
    }
    disarm();
}

Connection::Clock::time_point Connection::body_deadline(Clock::time_point start,
                                                        std::size_t received) const {
    const ServerOptions& options = context_->options;
    const std::chrono::milliseconds earned(received * 1000 / options.body_bytes_per_second_min);
    return start + std::min(options.body_timeout, options.body_rate_grace + earned);
}

void Connection::arm(Clock::time_point deadline, OnExpiry on_expiry) {
    expired_ = false;
    on_expiry_ = on_expiry;
    deadline_ = deadline;
    if (!timer_runs_ || deadline < timer_.expiry()) run_timer_until(deadline);
}

void Connection::disarm() { deadline_.reset(); }

void Connection::run_timer_until(Clock::time_point time) {
    timer_runs_ = true;
    timer_.expires_at(time);
    timer_.async_wait(
        [weak = weak_from_this(), generation = ++timer_generation_](const error_code& error) {
            const auto self = weak.lock();
            if (self && !error) self->timer_ran_out(generation);
        });
}

void Connection::timer_ran_out(std::uint64_t generation) {
    if (generation != timer_generation_) return;  // it fired while it was being set again
    timer_runs_ = false;
    if (!deadline_) return;
    if (Clock::now() < *deadline_) return run_timer_until(*deadline_);
    expired_ = true;
    if (on_expiry_ == OnExpiry::close) {
        close();
    } else {
        error_code ignored;
        stream_->socket().cancel(ignored);
    }
}

bool Connection::has_input() {
    error_code ignored;
    return stream_->socket().available(ignored) > 0;
}

void Connection::close() {
    error_code ignored;
    stream_->socket().close(ignored);
}

void Connection::stop() {
    asio::post(executor_, [self = shared_from_this()] {
        // A request that has arrived gets its answer, though nobody has read it yet: a read that
        // has completed is not undone by cancelling it, while closing the socket would cut its
        // request.
        if (!self->waiting_ || self->has_input()) return;
        error_code ignored;
        self->stream_->socket().cancel(ignored);
    });
}

void Connection::close_now() {
    asio::post(executor_, [self = shared_from_this()] { self->close(); });
}

}  // namespace bos::gateway
