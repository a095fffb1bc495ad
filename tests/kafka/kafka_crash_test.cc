#include "tests/kafka/node.h"

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

// An owner that is killed while it appends, and starts again on its replica.

namespace bos::eventstore {

namespace {

using namespace test;

/// owner.cc, run until it is killed.
class Owner {
  public:
    explicit Owner(const KafkaNode& node) {
        std::array<int, 2> pipe{};
        REQUIRE_EQ(::pipe2(pipe.data(), O_CLOEXEC), 0);
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(pipe[1], STDOUT_FILENO);
            ::execl(BOS_KAFKA_OWNER, BOS_KAFKA_OWNER, node.options.brokers.c_str(),
                    node.options.topic_prefix.c_str(), node.options.replica_path.c_str(), nullptr);
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
