#include "bench/disk_probe.h"

#include <array>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

namespace bos::bench {

DiskProbe::DiskProbe(const std::filesystem::path& folder)
    : file_(::open((folder / "probe").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    if (file_ < 0) throw std::runtime_error("cannot make the probe's file in " + folder.string());
}

DiskProbe::~DiskProbe() { ::close(file_); }

Measured DiskProbe::measure(double seconds) {
    constexpr std::array<char, probe_bytes> bytes{};
    Measured measured;
    const auto start = SteadyClock::now();
    const auto end = start + std::chrono::duration<double>(seconds);
    while (SteadyClock::now() < end) {
        const auto begun = SteadyClock::now();
        const bool durable =
            ::write(file_, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()) &&
            ::fdatasync(file_) == 0;
        if (!durable) throw std::runtime_error("the probe cannot write");
        measured.latencies_ns.push_back(nanoseconds_since(begun));
        ++measured.count;
    }
    measured.seconds = std::chrono::duration<double>(SteadyClock::now() - start).count();
    return measured;
}

}  // namespace bos::bench
