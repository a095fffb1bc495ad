#include "tests/kafka/brokers.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fstream>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace bos::kafka::test {

namespace {

std::string script() { return BOS_SOURCES "/tests/kafka/broker"; }

[[noreturn]] void become(char* const* words, int input, int output) {
    ::dup2(input, STDIN_FILENO);
    ::dup2(output, STDOUT_FILENO);
    ::execv(words[0], words);
    ::_exit(127);
}

/// A signal is sent at once and taken by each thread in its turn: on a busy machine a broker that
/// was told to stop answers a little longer. The state stands behind the name, which ends with the
/// last parenthesis (proc(5)).
bool stands_still(pid_t process) {
    for (const auto& thread :
         std::filesystem::directory_iterator(fmt::format("/proc/{}/task", process))) {
        std::ifstream file(thread.path() / "stat");
        std::string stat;
        std::getline(file, stat);
        const std::size_t name_end = stat.rfind(") ");
        if (name_end != std::string::npos && stat[name_end + 2] != 'T') return false;
    }
    return true;
}

}  // namespace

Brokers& Brokers::one() {
    static Brokers broker;
    return broker;
}

Brokers::Brokers(int nodes) {
    std::string name = (std::filesystem::temp_directory_path() / "bos-kafka-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    folder_ = name;
    std::string program = script();
    std::string count = std::to_string(nodes);
    std::array<char*, 6> words{program.data(), const_cast<char*>("run"),
                               name.data(),    const_cast<char*>("--nodes"),
                               count.data(),   nullptr};
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) {
        throw std::runtime_error("pipe2");
    }
    pid_ = ::fork();
    if (pid_ == 0) become(words.data(), in[0], out[1]);
    ::close(in[0]);
    ::close(out[1]);
    words_ = in[1];
    answers_ = out[0];
    const std::string line = read_line();
    constexpr std::string_view word = "bootstrap ";
    if (!line.starts_with(word)) throw std::runtime_error("no Kafka broker: " + line);
    bootstrap_ = line.substr(word.size());
}

Brokers::~Brokers() {
    ::close(words_);
    ::waitpid(pid_, nullptr, 0);
    ::close(answers_);
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void Brokers::pause(int node) {
    const pid_t broker = send(node, SIGSTOP);
    while (!stands_still(broker)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}
void Brokers::resume(int node) { send(node, SIGCONT); }
void Brokers::kill(int node) { send(node, SIGKILL); }

void Brokers::start(int node) {
    const std::string word = fmt::format("start {}\n", node);
    if (::write(words_, word.data(), word.size()) < 0) throw std::runtime_error("broker script");
    if (const std::string line = read_line(); line != "ready") {
        throw std::runtime_error("no Kafka broker: " + line);
    }
}

std::filesystem::path Brokers::data(int node) const {
    return folder_ / fmt::format("node-{}", node) / "data";
}

pid_t Brokers::send(int node, int signal) {
    std::ifstream file(folder_ / fmt::format("node-{}", node) / "pid");
    pid_t pid = 0;
    if (!(file >> pid) || ::kill(pid, signal) != 0) throw std::runtime_error("no such broker");
    return pid;
}

std::string Brokers::read_line() {
    std::string line;
    char c = 0;
    while (::read(answers_, &c, 1) == 1) {
        if (c == '\n') return line;
        line += c;
    }
    return line;
}

}  // namespace bos::kafka::test
