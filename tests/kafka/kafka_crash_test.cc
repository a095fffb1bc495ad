#include "tests/kafka/node.h"

#include <doctest/doctest.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
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

    /// Killed once `condition` holds.
    template <class Condition>
    void kill_when(Condition&& condition) {
        wait_until(condition);
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
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

/// What a replica's folder has of files whose names begin and end so.
std::size_t files_in(const std::string& folder, std::string_view begin, std::string_view end) {
    std::error_code gone;
    std::size_t count = 0;
    for (const auto& file : std::filesystem::directory_iterator(folder, gone)) {
        const std::string name = file.path().filename().string();
        if (name.starts_with(begin) && name.ends_with(end)) ++count;
    }
    return count;
}

}  // namespace

TEST_CASE("a node that is killed while it fills its replica opens it and goes on") {
    const TenantId acme = tenant("acme");
    KafkaNode writer(next_prefix());
    writer.open();
    Chain chain(acme);
    constexpr std::size_t portion = 10'000;
    constexpr std::size_t portions = 10;  // 35 MB: some bulks
    for (std::size_t i = 0; i < portions; ++i) {
        Answers answers;
        for (std::size_t n = 0; n < portion; ++n) writer.log->append(chain.next(), answers.done());
        for (const auto& outcome : answers.wait_for(portion)) REQUIRE(outcome.has_value());
    }
    KafkaNode reader(writer.options.topic_prefix);
    const std::string& folder = reader.options.replica_path;
    // In the middle of a file of records, if it makes one, then after some more tables.
    for (const bool in_the_middle : {true, false, false}) {
        const std::size_t tables = files_in(folder, "", ".sst");
        Owner(reader).kill_when([&] {
            return (in_the_middle && files_in(folder, "records-", ".bulk") > 0) ||
                   files_in(folder, "", ".sst") >= tables + 2;
        });
    }
    reader.open();
    REQUIRE(writer.catch_up(acme).has_value());
    CHECK(reader.head(acme).position.value >= portion * portions);
    CHECK_EQ(reader.head(acme), writer.head(acme));
    CHECK(verify_chain(*reader.log, acme).has_value());
    CHECK_EQ(reader.log->find_key(acme, "none").value(), std::nullopt);
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
