#include "bench/child_process.h"

#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace bos::bench {

namespace {

/// Between fork and exec: only what is safe in a copy of a process with threads.
[[noreturn]] void become(char* const* words, int output, int errors) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(output, STDOUT_FILENO);
    ::dup2(errors, STDERR_FILENO);
    ::execv(words[0], words);
    ::_exit(127);
}

bool ended_within(pid_t pid, std::chrono::milliseconds time) {
    const auto until = std::chrono::steady_clock::now() + time;
    while (::waitpid(pid, nullptr, WNOHANG) == 0) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& words,
                           const std::filesystem::path& errors) {
    std::vector<char*> pointers;
    for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
    pointers.push_back(nullptr);
    int pipe[2];
    if (::pipe2(pipe, O_CLOEXEC) != 0) throw std::runtime_error("cannot make a pipe");
    const int log = ::open(errors.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_ = ::fork();
    if (pid_ == 0) become(pointers.data(), pipe[1], log);
    ::close(pipe[1]);
    ::close(log);
    output_ = pipe[0];
    if (pid_ < 0) throw std::runtime_error("cannot start " + words.front());
}

ChildProcess::~ChildProcess() {
    ::close(output_);
    if (pid_ < 0) return;
    ::kill(pid_, SIGTERM);
    if (ended_within(pid_, std::chrono::seconds(15))) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

void ChildProcess::signal(int number) {
    if (::kill(pid_, number) != 0) throw std::runtime_error("cannot signal a child process");
}

std::uint64_t ChildProcess::resident_bytes() const {
    constexpr std::string_view label = "RssAnon:";
    std::ifstream status("/proc/" + std::to_string(pid_) + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(label)) return std::stoull(line.substr(label.size())) * 1024;
    }
    throw std::runtime_error("cannot see the memory of a child process");
}

void ChildProcess::finish() {
    std::array<char, 4096> said;
    while (::read(output_, said.data(), said.size()) > 0) {
    }
    int status = 0;
    ::waitpid(std::exchange(pid_, -1), &status, 0);
    if (status != 0) throw std::runtime_error("a child process failed");
}

std::string ChildProcess::read_line() {
    std::string line;
    char c = 0;
    while (::read(output_, &c, 1) == 1) {
        if (c == '\n') return line;
        line += c;
    }
    throw std::runtime_error("a child process ended without an answer");
}

}  // namespace bos::bench
