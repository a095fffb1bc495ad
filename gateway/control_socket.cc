#include "gateway/control_socket.h"

#include "eventstore/this_thread.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <optional>
#include <poll.h>
#include <string>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

namespace bos::gateway {

namespace json = boost::json;

namespace {

constexpr const char* name = "control.sock";
constexpr std::size_t line_bytes_max = std::size_t{64} * 1024;

class File {
  public:
    explicit File(int descriptor) : descriptor_(descriptor) {}
    ~File() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] int get() const { return descriptor_; }
    [[nodiscard]] int release() { return std::exchange(descriptor_, -1); }

  private:
    int descriptor_;
};

std::string why() { return std::error_code(errno, std::generic_category()).message(); }

/// An address has room for 107 bytes, a folder's path may have more: the folder is named by its
/// descriptor.
sockaddr_un address_in(const File& folder) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    fmt::format_to_n(address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}/{}",
                     folder.get(), name);
    return address;
}

const sockaddr* generic(const sockaddr_un& address) {
    return reinterpret_cast<const sockaddr*>(&address);
}

bool send_line(int socket, const json::object& object) {
    std::string line = json::serialize(object) + '\n';
    for (std::size_t sent = 0; sent < line.size();) {
        const ssize_t now = ::send(socket, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
        if (now <= 0) return false;
        sent += static_cast<std::size_t>(now);
    }
    return true;
}

/// Lines of JSON objects from a socket; `buffer` keeps what came beyond one.
std::optional<json::object> read_line(int socket, std::string& buffer) {
    std::size_t end = 0;
    while ((end = buffer.find('\n')) == std::string::npos) {
        if (buffer.size() > line_bytes_max) return std::nullopt;
        std::array<char, 4096> bytes{};
        const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), 0);
        if (count <= 0) return std::nullopt;
        buffer.append(bytes.data(), static_cast<std::size_t>(count));
    }
    boost::system::error_code error;
    json::value value = json::parse(std::string_view(buffer).substr(0, end), error);
    buffer.erase(0, end + 1);
    if (error || !value.is_object()) return std::nullopt;
    return std::move(value.get_object());
}

std::string text_of(const json::object& object, std::string_view member) {
    const json::value* value = object.if_contains(member);
    return value != nullptr && value->is_string() ? std::string(value->get_string())
                                                  : std::string();
}

}  // namespace

Result<std::unique_ptr<ControlSocket>> ControlSocket::open(const std::filesystem::path& data,
                                                           Order order) {
    const File folder(::open(data.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    File listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const File stop(::eventfd(0, EFD_CLOEXEC));
    std::filesystem::path path = data / name;
    // Of a process that died: the folder is locked, so nobody else listens on it.
    ::unlink(path.c_str());
    const sockaddr_un address = address_in(folder);
    const mode_t before = ::umask(0077);
    const bool bound = ::bind(listener.get(), generic(address), sizeof address) == 0;
    ::umask(before);
    if (!bound || ::listen(listener.get(), 4) != 0)
        return fail(Code::unavailable,
                    fmt::format("cannot listen on {}: {}", path.string(), why()));
    File ours(::dup(stop.get()));
    return std::unique_ptr<ControlSocket>(
        new ControlSocket(std::move(path), std::move(order), listener.release(), ours.release()));
}

ControlSocket::ControlSocket(std::filesystem::path path, Order order, int listener, int stop)
    : path_(std::move(path)),
      order_(std::move(order)),
      listener_(listener),
      stop_(stop),
      thread_([this] { run(); }) {}

ControlSocket::~ControlSocket() {
    const std::uint64_t one = 1;
    std::ignore = ::write(stop_, &one, sizeof one);
    thread_.join();
    ::close(listener_);
    ::close(stop_);
    ::unlink(path_.c_str());
}

void ControlSocket::run() {
    eventstore::this_thread_is("control socket");
    while (true) {
        std::array<pollfd, 2> waiting{{{listener_, POLLIN, 0}, {stop_, POLLIN, 0}}};
        if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) return;
        if (waiting[1].revents != 0) return;
        if (waiting[0].revents == 0) continue;
        const File connection(::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC));
        if (connection.get() >= 0) serve(connection.get());
    }
}

void ControlSocket::serve(int connection) {
    // Who connects and says nothing must not hold up the end of the process.
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    ::setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    std::string buffer;
    const auto order = read_line(connection, buffer);
    if (!order) return;
    const auto tell = [&](std::string_view line) {
        send_line(connection, {{"tell", line}});  // who gave the order may have gone
    };
    const Result<void> carried_out = order_(*order, tell);
    if (carried_out) {
        send_line(connection, {{"done", true}});
    } else {
        send_line(connection, {{"error", carried_out.error().detail}});
    }
}

Result<void> give_order(const std::filesystem::path& data, const json::object& order,
                        const Tell& tell, std::optional<std::chrono::seconds> patience) {
    const File folder(::open(data.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const File socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = address_in(folder);
    if (::connect(socket.get(), generic(address), sizeof address) != 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            return fail(Code::not_found, "nobody serves " + data.string());
        return fail(Code::unavailable, fmt::format("{}: {}", (data / name).string(), why()));
    }
    if (patience) {
        const timeval limit{.tv_sec = patience->count(), .tv_usec = 0};
        ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    }
    if (!send_line(socket.get(), order)) return fail(Code::unavailable, "the server went away");
    std::string buffer;
    while (auto line = read_line(socket.get(), buffer)) {
        if (line->contains("done")) return {};
        if (line->contains("error")) return fail(Code::unavailable, text_of(*line, "error"));
        tell(text_of(*line, "tell"));
    }
    return fail(Code::unavailable,
                "the server says nothing any more: see its log for how far it came");
}

}  // namespace bos::gateway
