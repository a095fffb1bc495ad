#include "bench/child_process.h"
#include "bench/kafka_cluster.h"
#include "bench/lead_node.h"
#include "bench/measured.h"
#include "bench/node_pair.h"
#include "bench/temp_folder.h"
#include "bench/workloads.h"
#include "gateway/shard_group.h"
#include "tests/kafka/brokers.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <exception>
#include <thread>
#include <vector>

// How long a tenant is without a node that decides for it, when its owner leaves or is killed.

namespace bos::bench {

namespace {

namespace json = boost::json;
using std::chrono::milliseconds;

constexpr std::size_t events_of_a_lead = 5;  // see LeadNode::fill
constexpr std::size_t quick_events = 2'000;

// What there is to reach: without writes when a node leaves, and beyond the session after a kill.
constexpr milliseconds left_bar{2'000};
constexpr milliseconds beyond_session_bar{5'000};

milliseconds session_timeout() { return gateway::ShardGroupOptions().session_timeout; }

/// A client of one node that sends a command after the other.
class Writer {
  public:
    Writer(const NodePair& nodes, std::size_t node, std::string name)
        : nodes_(nodes), client_(nodes.client_of(node)), name_(std::move(name)), thread_([this] {
              try {
                  work();
              } catch (...) {
                  failure_ = std::current_exception();
              }
              ended_ = true;
          }) {}
    ~Writer() { ending_ = true; }
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    /// Waits until so many more were acknowledged.
    void more(std::size_t count) const {
        const std::size_t wanted = count_ + count;
        while (count_ < wanted && !ended_) std::this_thread::sleep_for(milliseconds(1));
    }
    /// The longest time without an acknowledged command that ended after `start`. Ends the client.
    [[nodiscard]] double longest_ms_since(SteadyClock::time_point start) {
        ending_ = true;
        thread_.join();
        if (failure_) std::rethrow_exception(failure_);
        std::uint64_t longest_ns = 0;
        for (std::size_t i = 1; i < acknowledged_.size(); ++i) {
            if (acknowledged_[i] < start) continue;
            longest_ns =
                std::max(longest_ns, nanoseconds_since(acknowledged_[i - 1], acknowledged_[i]));
        }
        return static_cast<double>(longest_ns) / 1e6;
    }

  private:
    /// What is not acknowledged is sent again with its key.
    void work() {
        while (!ending_) {
            const std::string request = nodes_.command(fmt::format("{}-{}", name_, count_.load()));
            if (client_.ask(request) != 201) continue;
            acknowledged_.push_back(SteadyClock::now());
            ++count_;
        }
    }

    const NodePair& nodes_;
    HttpClient client_;
    const std::string name_;
    std::atomic<std::size_t> count_ = 0;
    std::atomic<bool> ending_ = false;
    std::atomic<bool> ended_ = false;
    // The thread's, until it is joined.
    std::vector<SteadyClock::time_point> acknowledged_;
    std::exception_ptr failure_;
    std::jthread thread_;  // last: it uses what stands above
};

struct HandOver {
    double first_command_ms = 0;  ///< from the signal to the other node's first acknowledgement
    double client_waited_ms = 0;  ///< the longest, of a client of the other node
};

/// Sends a signal to the node that decides for the tenant, and waits for the other one to do so.
HandOver hand_over(NodePair& nodes, int signal, const std::string& name) {
    constexpr std::size_t some = 50;
    const std::size_t owner = nodes.owner();
    const std::size_t other = 1 - owner;
    Writer writer(nodes, other, name);
    writer.more(some);
    HttpClient client = nodes.client_of(other);
    const std::string first = nodes.command_for_owner(name + "-first");
    const auto start = SteadyClock::now();
    nodes.signal(owner, signal);
    while (client.ask(first) != 201) std::this_thread::sleep_for(milliseconds(1));
    const auto end = SteadyClock::now();
    writer.more(some);
    HandOver measured{.first_command_ms = static_cast<double>(nanoseconds_since(start, end)) / 1e6,
                      .client_waited_ms = writer.longest_ms_since(start)};
    nodes.restart(owner);
    return measured;
}

json::object measure(NodePair& nodes, const Options& options, const std::string& name, int signal) {
    std::vector<double> first_command;
    std::vector<double> client_waited;
    for (int round = 0; round < options.rounds; ++round) {
        const HandOver each = hand_over(nodes, signal, fmt::format("{}-{}", name, round));
        first_command.push_back(each.first_command_ms);
        client_waited.push_back(each.client_waited_ms);
    }
    const auto told = [](const std::vector<double>& values) {
        return json::object{{"median", std::llround(median_of(values))},
                            {"worst", std::llround(std::ranges::max(values))}};
    };
    fmt::print(stderr,
               "{:<28} {:<16} first command after {:>7.0f} ms, worst {:>7.0f}; a client waited "
               "{:>7.0f} ms, worst {:>7.0f}; session {} ms\n",
               "takeover", name, median_of(first_command), std::ranges::max(first_command),
               median_of(client_waited), std::ranges::max(client_waited),
               session_timeout().count());
    return {{"first_command_ms", told(first_command)}, {"client_waited_ms", told(client_waited)}};
}

/// A tenant with a past, embedded first, since that is the quickest; then its log is moved.
LeadNode::LogSize fill(const Options& options, const std::filesystem::path& data,
                       const gateway::KafkaCluster& kafka) {
    LeadNode::LogSize size;
    {
        LeadNode leads(data);
        leads.fill((options.quick ? quick_events : options.events) / events_of_a_lead);
        size = leads.log_size();
    }
    ChildProcess promote({options.binary.string(), "promote", "--data", data.string(), "--kafka",
                          kafka.brokers, "--kafka-prefix", kafka.prefix, "--kafka-replication",
                          std::to_string(kafka.replication_factor)},
                         data.parent_path() / "bos.log");
    promote.finish();
    std::filesystem::remove_all(data / "promoted-log");
    return size;
}

}  // namespace

void takeover(const Options& options, json::array& figures) {
    kafka::test::Brokers brokers;
    const TempFolder folder(options.folder);
    const std::filesystem::path data = folder.path() / "data";
    const gateway::KafkaCluster kafka = one_broker(brokers.bootstrap(), "takeover");
    const std::string key = create_key(options, data);  // moved with the log
    const LeadNode::LogSize size = fill(options, data, kafka);
    NodePair nodes(options, data, kafka, key);
    json::object sides;
    sides["left"] = measure(nodes, options, "left", SIGTERM);
    sides["killed"] = measure(nodes, options, "killed", SIGKILL);
    const auto killed_bar = session_timeout() + beyond_session_bar;
    figures.push_back(json::object{
        {"work", "takeover"},
        {"what",
         "two nodes on one broker of this machine; the one that decides for the tenant is told to "
         "leave (SIGTERM) or killed (SIGKILL): from the signal to the first command that the other "
         "node acknowledges itself, and the longest time that a client of the other node was "
         "without an acknowledged command"},
        {"unit", "ms"},
        {"sync", "acks=all of one replica: in the broker's page cache"},
        {"bytes", {{"record", size.bytes_per_record()}, {"log", size.bytes}}},
        {"commits", size.commits},
        {"events", size.events},
        {"session_timeout_ms", session_timeout().count()},
        {"sides", std::move(sides)},
        {"bar", {{"left_ms", left_bar.count()}, {"killed_ms", killed_bar.count()}}}});
}

}  // namespace bos::bench
