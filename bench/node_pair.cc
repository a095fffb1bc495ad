#include "bench/node_pair.h"

#include "gateway/cluster.h"
#include "gateway/shard_group.h"

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

namespace bos::bench {

namespace {

constexpr auto patience = std::chrono::seconds(120);

template <class Condition>
void wait_until(std::string_view what, Condition&& condition) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until)
            throw std::runtime_error(fmt::format("waited in vain until {}", what));
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

int shards_of(HttpClient client) {
    if (client.ask(http_request("GET", "/readyz", "")) != 200) return 0;
    const boost::json::value answer = boost::json::parse(std::string(client.body()));
    const boost::json::value* shards = answer.as_object().if_contains("shards");
    return shards ? static_cast<int>(shards->as_int64()) : 0;
}

std::string to_owner() { return fmt::format("{}: bench:1\r\n", gateway::forwarded_header); }

}  // namespace

NodePair::NodePair(const Options& options, const std::filesystem::path& data,
                   gateway::KafkaCluster kafka, std::string key)
    : options_(options), kafka_(std::move(kafka)), key_(std::move(key)) {
    nodes_[0].data = data;
    nodes_[1].data = data.parent_path() / "second" / "data";
    std::filesystem::create_directories(nodes_[1].data.parent_path());
    std::filesystem::copy(data, nodes_[1].data, std::filesystem::copy_options::recursive);
    for (Node& node : nodes_) start(node);
    wait_for_shards();
}

void NodePair::start(Node& node) {
    node.server = std::make_unique<BosServer>(
        options_, node.data,
        std::vector<std::string>{"--kafka", kafka_.brokers, "--kafka-prefix", kafka_.prefix,
                                 "--kafka-replication", std::to_string(kafka_.replication_factor)});
}

void NodePair::restart(std::size_t node) {
    nodes_[node].server.reset();
    start(nodes_[node]);
    wait_for_shards();
}

void NodePair::wait_for_shards() const {
    wait_until("both nodes have shards", [this] {
        const int first = shards_of(client_of(0));
        const int second = shards_of(client_of(1));
        return first > 0 && second > 0 && first + second == gateway::cluster_shards;
    });
}

std::size_t NodePair::owner() {
    const std::string request =
        http_request("POST", "/v1/leads?dry_run=true", key_, "{}", to_owner());
    std::size_t found = nodes_.size();
    wait_until("a node decides for the tenant", [&] {
        for (std::size_t node = 0; node < nodes_.size(); ++node) {
            if (client_of(node).ask(request) == 200) found = node;
        }
        return found < nodes_.size();
    });
    return found;
}

HttpClient NodePair::client_of(std::size_t node) const {
    return HttpClient(nodes_[node].server->port());
}

std::string NodePair::command(std::string_view idempotency_key) const {
    return http_request("POST", "/v1/leads", key_, R"({"source":"trade fair"})",
                        fmt::format("Idempotency-Key: {}\r\n", idempotency_key));
}

std::string NodePair::command_for_owner(std::string_view idempotency_key) const {
    return http_request("POST", "/v1/leads", key_, R"({"source":"trade fair"})",
                        fmt::format("Idempotency-Key: {}\r\n{}", idempotency_key, to_owner()));
}

}  // namespace bos::bench
