#include "bench/lead_node.h"

#include "bench/must.h"
#include "eventstore/commit.h"

#include <fmt/format.h>

#include <utility>

namespace bos::bench {

namespace {

constexpr std::size_t loading_lanes = 256;
constexpr double until_done = 3600;

void tell(const commands::Refusal& refusal) {
    if (const auto* rejected = std::get_if<Rejected>(&refusal))
        fmt::print(stderr, "refused: {} {}\n", rejected->info.code, rejected->detail);
    if (const auto* error = std::get_if<Error>(&refusal))
        fmt::print(stderr, "refused: {}\n", error->detail);
}

}  // namespace

LeadNode::LeadNode(const std::filesystem::path& data, gateway::KafkaCluster kafka,
                   bool keeps_views) {
    gateway::NodeOptions options;
    options.data = data;
    options.kafka = std::move(kafka);
    options.keeps_views = keeps_views;
    node_ = must(gateway::Node::open(options, clock_, random_));
    if (keeps_views) must(node_->open_tenant(bench_tenant()));
    node_->start();
}

void LeadNode::send(std::size_t lane, commands::Request request) {
    node_->shard_of(request.tenant)
        .submit(std::move(request), [this, lane](const commands::Outcome& outcome) {
            if (outcome) {
                lanes_[lane].lead = leads::LeadId(outcome->target.id);
            } else {
                tell(outcome.error());
            }
            loop_.finished(lane, outcome.has_value());
        });
}

Measured LeadNode::mix(std::size_t lanes, double seconds) {
    constexpr std::uint64_t commands_of_a_lead = 5;
    lanes_.assign(lanes, {});
    return loop_.run(lanes, seconds, [this](std::size_t lane) {
        const std::uint64_t step = lanes_[lane].steps++;
        const leads::LeadId lead = lanes_[lane].lead;
        const std::uint64_t number = ++numbers_;
        if (step % commands_of_a_lead == 0) {
            send(lane, requests_.capture(number));
        } else if (step % 2 == 0) {
            send(lane, requests_.score(lead, number));
        } else {
            send(lane, requests_.change(lead, number));
        }
        return true;
    });
}

std::vector<leads::LeadId> LeadNode::capture(std::size_t count) {
    std::vector<leads::LeadId> captured;
    std::size_t sent = 0;
    lanes_.assign(loading_lanes, {});
    static_cast<void>(loop_.run(loading_lanes, until_done, [&](std::size_t lane) {
        if (!lanes_[lane].lead.is_nil()) captured.push_back(std::exchange(lanes_[lane].lead, {}));
        if (sent == count) return false;
        ++sent;
        send(lane, requests_.capture(++numbers_));
        return true;
    }));
    return captured;
}

void LeadNode::each(const std::vector<leads::LeadId>& leads, Step step, std::uint64_t first) {
    std::size_t sent = 0;
    lanes_.assign(loading_lanes, {});
    static_cast<void>(loop_.run(loading_lanes, until_done, [&](std::size_t lane) {
        if (sent == leads.size()) return false;
        const leads::LeadId lead = leads[sent];
        send(lane, (requests_.*step)(lead, first + sent++));
        return true;
    }));
}

void LeadNode::fill(std::size_t count) {
    const std::vector<leads::LeadId> leads = capture(count);
    each(leads, &LeadRequests::score);
    each(leads, &LeadRequests::change);
    each(leads, &LeadRequests::tag);
}

void LeadNode::capture_for_tenants(std::size_t tenants) {
    std::size_t sent = 0;
    lanes_.assign(loading_lanes, {});
    static_cast<void>(loop_.run(loading_lanes, until_done, [&](std::size_t lane) {
        if (sent == tenants) return false;
        commands::Request request = requests_.capture(++sent);
        request.tenant = *TenantId::parse(fmt::format("small-{}", sent));
        must(node_->open_tenant(request.tenant));
        send(lane, std::move(request));
        return true;
    }));
}

LeadNode::LogSize LeadNode::log_size() {
    LogSize size;
    const eventstore::Head head = must(node_->log().head(bench_tenant()));
    must(node_->log().scan(bench_tenant(), Position{1}, head.position,
                           [&](Position, std::string_view record) {
                               ++size.commits;
                               size.events += must(eventstore::decode(record)).events.size();
                               size.bytes += record.size();
                               return true;
                           }));
    return size;
}

}  // namespace bos::bench
