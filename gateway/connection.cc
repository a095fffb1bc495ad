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
/// A body that is copied behind its header block: to send them in two pieces takes longer.
constexpr std::size_t joined_body_bytes_max = 2048;

Headers headers_of(const ParsedHead& head) {
    std::vector<Headers::Field> fields;
    fields.reserve(head.fields.size());
    for (const auto& [name, value] : head.fields) fields.emplace_back(name, value);
    return Headers(std::move(fields));
}

ByteStream::Buffers behind(ByteStream::Buffers buffers, std::size_t bytes) {
    for (asio::const_buffer& buffer : buffers) {
        const std::size_t skipped = std::min(bytes, buffer.size());
        buffer += skipped;
        bytes -= skipped;
    }
    return buffers;
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

    if (buffer_.empty()) {
        const Step<void> begun = co_await wait_for_request();
        if (!begun) co_return false;
    } else {
        // The next request is here already, and nothing else may have waited since the last one:
        // the thread's other connections get their turn.
        co_await asio::post(executor_, asio::use_awaitable);
    }
    HeadSearch search(context_->options.guard);
    Step<std::optional<std::size_t>> head_size = find_head(search);
    if (head_size && !*head_size) head_size = co_await read_rest_of_head(std::move(search));
    if (!head_size) co_return co_await refuse(std::move(head_size).error());
    Step<Incoming> incoming = judge_head(**head_size);
    if (!incoming) co_return co_await refuse(std::move(incoming).error());
    if (incoming->body != BodyKind::none) {
        Step<std::string> body =
            co_await read_body(incoming->body, incoming->content_length, incoming->expect_continue);
        if (!body) co_return co_await refuse(std::move(body).error());
        incoming->request.body = *std::move(body);
    }
    Response response = co_await answer(std::move(incoming->request));
    const bool keep_alive = exchange_.keep_alive && !context_->stopping;
    const bool written = co_await write(std::move(response), keep_alive);
    must_linger_ = written && !exchange_.keep_alive;
    co_return written&& exchange_.keep_alive;
}

asio::awaitable<bool> Connection::refuse(Ended ended) {
    if (!ended.problem) co_return false;
    context_->observer->refused(ended.problem->code);
    must_linger_ = co_await write(to_response(*ended.problem), false);
    co_return false;
}

asio::awaitable<Connection::Step<void>> Connection::wait_for_request() {
    if (context_->stopping && !has_input()) co_return std::unexpected(Ended{});
    waiting_ = true;
    const Step<std::size_t> read =
        co_await read_more(Clock::now() + context_->options.keep_alive_timeout);
    waiting_ = false;
    if (!read) co_return std::unexpected(Ended{});
    co_return Step<void>();
}

Connection::Step<std::optional<std::size_t>> Connection::find_head(HeadSearch& search) {
    // RFC 9112 2.2: old clients send an empty line after a body.
    if (!search.skipped_empty_line && buffer_.starts_with("\r\n")) {
        buffer_.erase(0, 2);
        search.skipped_empty_line = true;
    }
    const bool may_be_empty_line = !search.skipped_empty_line && buffer_ == "\r";
    if (may_be_empty_line) return std::nullopt;
    const auto scanned = search.scanner.scan(buffer_);
    if (scanned) return *scanned;
    return std::unexpected(
        Ended{Problem::of(scanned.error().kind, std::string(scanned.error().reason))});
}

asio::awaitable<Connection::Step<std::optional<std::size_t>>> Connection::read_rest_of_head(
    HeadSearch search) {
    const Clock::time_point deadline = Clock::now() + context_->options.header_timeout;
    while (true) {
        const Step<std::size_t> read = co_await read_more(deadline);
        if (!read) {
            if (expired_) co_return std::unexpected(Ended{Problem::of(problems::request_timeout)});
            if (peer_ended_ && !buffer_.empty()) {
                co_return std::unexpected(Ended{Problem::of(problems::incomplete_request)});
            }
            co_return std::unexpected(read.error());
        }
        Step<std::optional<std::size_t>> head_size = find_head(search);
        if (!head_size || *head_size) co_return head_size;
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
    auto head = response_head(response, framing, std::move(output_));
    if (!head) {
        spdlog::error("gateway: an answer was refused: {}, request {}", head.error(),
                      to_string(exchange_.id));
        response = problem_response(problems::internal);
        framing.keep_alive = exchange_.keep_alive = false;
        head = response_head(response, framing);
        if (!head) co_return false;
    }
    output_ = *std::move(head);
    const bool with_body = !exchange_.without_body && status_has_body(response.status);
    std::string_view body = with_body ? body_of(response) : "";
    if (body.size() <= joined_body_bytes_max) {
        output_.append(body);
        body = {};
    }

    const ByteStream::Buffers buffers{asio::buffer(output_),
                                      asio::buffer(body.data(), body.size())};
    const std::size_t bytes = output_.size() + body.size();
    auto [error, written] = stream_->write_now(buffers);
    if (!error && written < bytes) {
        arm(Clock::now() + context_->options.write_timeout, OnExpiry::close);
        error = co_await stream_->write(behind(buffers, written));
        disarm();
    }
    if (!error) context_->observer->bytes_sent(bytes);
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
