#include "bench/machine.h"

#include <array>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <sys/utsname.h>
#include <thread>

namespace bos::bench {

namespace {

std::string processor() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        const std::size_t colon = line.find(": ");
        if (line.starts_with("model name") && colon != std::string::npos)
            return line.substr(colon + 2);
    }
    return "unknown";
}

std::string load_average() {
    std::ifstream file("/proc/loadavg");
    std::string one;
    std::string five;
    file >> one >> five;
    return one + " " + five;
}

std::string kernel() {
    utsname name{};
    return ::uname(&name) == 0 ? name.release : "unknown";
}

std::string commit() {
    const auto close = [](FILE* pipe) { ::pclose(pipe); };
    const std::unique_ptr<FILE, decltype(close)> pipe(
        ::popen("git describe --always --dirty --abbrev=12 2>/dev/null", "r"), close);
    std::array<char, 80> line{};
    if (!pipe || std::fgets(line.data(), line.size(), pipe.get()) == nullptr) return "unknown";
    const std::string text(line.data());
    return text.substr(0, text.find('\n'));
}

}  // namespace

boost::json::object describe_machine() {
    return {{"processor", processor()},
            {"cores", std::thread::hardware_concurrency()},
            {"kernel", kernel()},
            {"load_average", load_average()},
            {"commit", commit()}};
}

}  // namespace bos::bench
