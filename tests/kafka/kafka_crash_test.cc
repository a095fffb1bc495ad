#include "tests/kafka/node.h"

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

// An owner that is killed while it appends, and starts again on its replica.

namespace bos::eventstore {

namespace {

using namespace test;

constexpr const char* folder_variable = "BOS_TEST_REPLICA";
constexpr const char* prefix_variable = "BOS_TEST_PREFIX";
constexpr const char* brokers_variable = "BOS_TEST_BROKERS";

KafkaLogOptions options_from_environment() {
    KafkaLogOptions options;
    options.brokers = std::getenv(brokers_variable);
    options.topic_prefix = std::getenv(prefix_variable);
    options.replica_path = std::getenv(folder_variable);
    options.replication_factor = 1;
    options.min_insync_replicas = 1;
    return options;
}

/// This program again, as the owner below.
class Owner {
  public:
    explicit Owner(const KafkaNode& node) {
        ::setenv(brokers_variable, node.options.brokers.c_str(), 1);
        ::setenv(prefix_variable, node.options.topic_prefix.c_str(), 1);
        ::setenv(folder_variable, node.options.replica_path.c_str(), 1);
        std::array<int, 2> pipe{};
        REQUIRE_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            ::dup2(pipe[1], STDOUT_FILENO);
            ::execl("/proc/self/exe", "owner", "--no-skip", "--test-case=an owner that*", nullptr);
            ::_exit(127);
        }
        ::close(pipe[1]);
        answers_ = ::fdopen(pipe[0], "r");
    }
    ~Owner() { std::fclose(answers_); }
    Owner(const Owner&) = delete;
    Owner& operator=(const Owner&) = delete;

    /// The last position that it acknowledged before it was killed, after `count` more of them.
    std::uint64_t kill_after(int count) {
        std::uint64_t acknowledged = 0;
        std::array<char, 128> line{};
        while (std::fgets(line.data(), line.size(), answers_)) {
            unsigned long long position = 0;
            if (std::sscanf(line.data(), "acknowledged %llu", &position) != 1) continue;
            acknowledged = position;
            if (--count == 0) ::kill(pid_, SIGKILL);
        }
        ::waitpid(pid_, nullptr, 0);
        return acknowledged;
    }

  private:
    pid_t pid_;
    std::FILE* answers_;
};

}  // namespace

TEST_CASE("an owner that appends until it is killed" * doctest::skip()) {
    REQUIRE(std::getenv(folder_variable) != nullptr);
    const auto log = KafkaLog::open(options_from_environment()).value();
    Chain chain(tenant("acme"), log->head(tenant("acme")).value());
    constexpr std::size_t pipeline = 16;
    while (true) {
        Answers answers;
        for (std::size_t i = 0; i < pipeline; ++i) log->append(chain.next(), answers.done());
        for (const auto& outcome : answers.wait_for(pipeline)) {
            REQUIRE(outcome.has_value());
            std::printf("acknowledged %llu\n",
                        static_cast<unsigned long long>(outcome->position.value));
        }
        std::fflush(stdout);
    }
}

TEST_CASE("what an owner acknowledged is there after it was killed, and its replica goes on") {
    KafkaNode node(next_prefix());
    const TenantId acme = tenant("acme");
    for (const int count : {1, 40, 333, 700, 90}) {
        const std::uint64_t acknowledged = Owner(node).kill_after(count);
        REQUIRE(acknowledged > 0);
        node.open();
        CHECK(node.head(acme).position.value >= acknowledged);
        CHECK(verify_chain(*node.log, acme).has_value());
        Chain chain(acme, node.head(acme));
        REQUIRE(append(*node.log, chain.next()));
        node.log.reset();
    }
    KafkaNode fresh(node.options.topic_prefix);
    fresh.open();
    node.open();
    CHECK_EQ(fresh.head(acme), node.head(acme));
}

}  // namespace bos::eventstore
