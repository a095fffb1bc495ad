#pragma once

#include <filesystem>
#include <string>
#include <sys/types.h>

namespace bos::kafka::test {

/// A real Kafka cluster, started by tests/kafka/broker and ended with this object, or with the
/// process, however that ends. A cluster that cannot be started is a failure, never a skip: throws.
class Brokers {
  public:
    explicit Brokers(int nodes = 1);
    ~Brokers();
    Brokers(const Brokers&) = delete;
    Brokers& operator=(const Brokers&) = delete;

    /// One broker for all tests of the process.
    static Brokers& one();

    /// host:port, with commas between.
    [[nodiscard]] const std::string& bootstrap() const { return bootstrap_; }

    /// Holds a broker still (SIGSTOP): its connections stay, nothing answers.
    void pause(int node = 1);
    void resume(int node = 1);
    /// Ends it without warning (SIGKILL).
    void kill(int node = 1);
    /// After kill(): waits until the whole cluster answers.
    void start(int node = 1);

    /// The folder of its logs, one folder a partition. Changed only while the broker is killed.
    [[nodiscard]] std::filesystem::path data(int node = 1) const;

  private:
    [[nodiscard]] std::string read_line();
    pid_t send(int node, int signal);

    std::filesystem::path folder_;
    pid_t pid_ = -1;
    int words_ = -1;    ///< to the script
    int answers_ = -1;  ///< from it
    std::string bootstrap_;
};

/// Holds a broker still as long as it lives.
class Paused {
  public:
    explicit Paused(Brokers& brokers, int node = 1) : brokers_(brokers), node_(node) {
        brokers_.pause(node_);
    }
    ~Paused() { brokers_.resume(node_); }
    Paused(const Paused&) = delete;
    Paused& operator=(const Paused&) = delete;

  private:
    Brokers& brokers_;
    const int node_;
};

}  // namespace bos::kafka::test
