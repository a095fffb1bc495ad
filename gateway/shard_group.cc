#include "gateway/shard_group.h"

#include "eventstore/kafka_topic.h"
#include "eventstore/this_thread.h"

#include <boost/json.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <array>
#include <string_view>
#include <utility>

namespace bos::gateway {

namespace json = boost::json;
namespace kafka = eventstore::kafka;

namespace {

using std::chrono::milliseconds;

constexpr auto turn_at_least_every = milliseconds(100);
constexpr auto announce_every = milliseconds(2'000);
constexpr auto open_again_after = milliseconds(1'000);
constexpr auto goodbye_takes_at_most = milliseconds(2'000);
constexpr auto request_timeout = milliseconds(10'000);
constexpr std::string_view owner_key = "owner";
constexpr std::string_view node_key_begin = "node ";

kafka::WantedTopic wanted(const ShardGroupOptions& options) {
    return {.name = options.topic,
            .partitions = cluster_shards,
            .replicas = options.replication_factor,
            .settings = {{"cleanup.policy", "compact"},
                         {"min.insync.replicas", std::to_string(options.min_insync_replicas)}}};
}

/// What is given can change what comes before it.
kafka::Properties with(kafka::Properties ours, const kafka::Properties& given) {
    ours.insert(ours.end(), given.begin(), given.end());
    return ours;
}

kafka::Properties member_properties(const ShardGroupOptions& options) {
    return with({{"group.id", options.topic},
                 {"partition.assignment.strategy", "range"},
                 {"session.timeout.ms", std::to_string(options.session_timeout.count())},
                 {"heartbeat.interval.ms", std::to_string(options.heartbeat_interval.count())},
                 {"max.poll.interval.ms", "30000"},
                 {"auto.offset.reset", "latest"},
                 {"enable.auto.commit", "false"},
                 {"reconnect.backoff.max.ms", "1000"}},
                options.properties);
}

kafka::Properties reader_properties(const ShardGroupOptions& options) {
    // librdkafka wants a group's name for whoever is assigned partitions by hand; it joins none.
    return with({{"group.id", options.topic + ".reader"},
                 {"enable.auto.commit", "false"},
                 {"auto.offset.reset", "earliest"},
                 {"fetch.wait.max.ms", "20"},
                 {"reconnect.backoff.max.ms", "1000"}},
                options.properties);
}

kafka::Properties producer_properties(const ShardGroupOptions& options) {
    return with({{"enable.idempotence", "true"},
                 {"linger.ms", "0"},
                 {"message.timeout.ms", "10000"},
                 {"reconnect.backoff.max.ms", "1000"}},
                options.properties);
}

std::string_view text_of(const void* bytes, std::size_t size) {
    return {static_cast<const char*>(bytes), size};
}

/// Members that are missing or of another kind are false or empty: another release wrote them.
struct Told {
    std::string address;
    PeerRoles roles;
};

Told read(std::string_view text) {
    boost::system::error_code error;
    const json::value value = json::parse(text, error);
    if (error || !value.is_object()) return {};
    const json::object& object = value.get_object();
    const auto flag = [&](std::string_view name) {
        const json::value* found = object.if_contains(name);
        return found != nullptr && found->is_bool() && found->get_bool();
    };
    Told told{
        .address = {},
        .roles = {
            .gateway = flag("gateway"), .commands = flag("commands"), .views = flag("views")}};
    if (const json::value* address = object.if_contains("address");
        address != nullptr && address->is_string()) {
        told.address = address->get_string();
    }
    return told;
}

}  // namespace

ShardGroup::ShardGroup(ShardGroupOptions options, ShardTable& table)
    : options_(std::move(options)), table_(table), thread_([this] { run(); }) {}

ShardGroup::~ShardGroup() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void ShardGroup::leave() {
    std::unique_lock lock(mutex_);
    leaving_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, goodbye_takes_at_most, [this] { return left_; });
}

void ShardGroup::wake() {
    {
        const std::lock_guard lock(mutex_);
        woken_ = true;
    }
    changed_.notify_all();
}

bool ShardGroup::is_leaving() {
    const std::lock_guard lock(mutex_);
    return leaving_ && !left_;
}

/// Until something is to be done; false when it is time to end.
bool ShardGroup::pause(milliseconds most) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, most, [this] {
        return stopping_ || (leaving_ && !left_) || std::exchange(woken_, false);
    });
    return !stopping_;
}

void ShardGroup::run() {
    eventstore::this_thread_is("shard group");
    std::string told;
    while (true) {
        const Result<void> opened = open();
        if (opened) break;
        if (told != opened.error().detail) {
            spdlog::error("no seat in the cluster yet: {}", opened.error().detail);
            told = opened.error().detail;
        }
        if (!pause(open_again_after) || is_leaving()) {
            const std::lock_guard lock(mutex_);
            left_ = true;
            changed_.notify_all();
            return;
        }
    }
    do {
        turn();
        if (is_leaving()) leave_group();
    } while (pause(turn_at_least_every));
    leave_group();
    close();
}

Result<void> ShardGroup::open() {
    BOS_TRY(producer_, kafka::open_handle(RD_KAFKA_PRODUCER, producer_properties(options_)));
    BOS_CHECK(kafka::prepare_topic(producer_.get(), wanted(options_), kafka::Missing::create,
                                   request_timeout));
    BOS_CHECK(open_reader());
    if (!options_.self.roles.commands) return {};
    BOS_TRY(member_, kafka::open_handle(RD_KAFKA_CONSUMER, member_properties(options_),
                                        {.on_rebalance = &on_rebalance, .opaque = this}));
    rd_kafka_poll_set_consumer(member_.get());
    member_queue_.reset(rd_kafka_queue_get_consumer(member_.get()));
    kafka::wake_on(member_queue_.get(), wake_);
    const kafka::Owned<rd_kafka_topic_partition_list_t> topics(
        rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(topics.get(), options_.topic.c_str(), RD_KAFKA_PARTITION_UA);
    if (const auto error = rd_kafka_subscribe(member_.get(), topics.get())) {
        return kafka::failed(error, "join the group " + options_.topic);
    }
    return {};
}

Result<void> ShardGroup::open_reader() {
    BOS_TRY(reader_, kafka::open_handle(RD_KAFKA_CONSUMER, reader_properties(options_)));
    rd_kafka_poll_set_consumer(reader_.get());
    reader_queue_.reset(rd_kafka_queue_get_consumer(reader_.get()));
    kafka::wake_on(reader_queue_.get(), wake_);
    const kafka::Owned<rd_kafka_topic_partition_list_t> all(
        rd_kafka_topic_partition_list_new(cluster_shards));
    for (int partition = 0; partition < cluster_shards; ++partition) {
        rd_kafka_topic_partition_list_add(all.get(), options_.topic.c_str(), partition)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    }
    if (const auto error = rd_kafka_assign(reader_.get(), all.get())) {
        return kafka::failed(error, "read " + options_.topic);
    }
    return {};
}

void ShardGroup::turn() {
    table_.alive(Clock::now());
    while (member_ && !gone_) {
        // Nothing in it is for a member: it is polled for what the group says.
        const kafka::Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(member_.get(), 0));
        if (!message) break;
    }
    read_topic();
    rd_kafka_poll(producer_.get(), 0);
    if (gone_ || Clock::now() < announce_at_) return;
    announce_at_ = Clock::now() + announce_every;
    announce();
    claim_what_is_not();
}

void ShardGroup::read_topic() {
    while (true) {
        const kafka::Owned<rd_kafka_message_t> message(rd_kafka_consumer_poll(reader_.get(), 0));
        if (!message) return;
        if (!message->err) take(*message);
    }
}

void ShardGroup::take(const rd_kafka_message_t& message) {
    const std::string_view key = text_of(message.key, message.key_len);
    const std::string_view value = text_of(message.payload, message.len);
    if (key == owner_key) {
        table_.claimed(static_cast<std::size_t>(message.partition), read(value).address);
    } else if (key.starts_with(node_key_begin)) {
        std::string address(key.substr(node_key_begin.size()));
        if (message.payload == nullptr) return table_.left(address);
        table_.heard({.address = std::move(address), .roles = read(value).roles}, Clock::now());
    }
}

void ShardGroup::on_rebalance(rd_kafka_t* handle, rd_kafka_resp_err_t error,
                              rd_kafka_topic_partition_list_t* partitions, void* opaque) {
    auto* self = static_cast<ShardGroup*>(opaque);
    if (error == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        std::set<std::size_t> shards;
        for (int i = 0; i < partitions->cnt; ++i) {
            shards.insert(static_cast<std::size_t>(partitions->elems[i].partition));
        }
        rd_kafka_assign(handle, partitions);
        rd_kafka_pause_partitions(handle, partitions);
        self->table_.assigned(shards, Clock::now());
        spdlog::info("{} of {} shards are this node's", shards.size(), cluster_shards);
        self->claim_what_is_not();
        return;
    }
    if (rd_kafka_assignment_lost(handle)) {
        spdlog::warn("the cluster has given this node's shards to others");
        self->table_.lost();
    }
    rd_kafka_assign(handle, nullptr);
}

void ShardGroup::claim_what_is_not() {
    const std::string value = json::serialize(json::object{{"address", options_.self.address}});
    for (const std::size_t shard : table_.unclaimed()) {
        publish(static_cast<int>(shard), std::string(owner_key), &value);
    }
}

void ShardGroup::announce() {
    const PeerRoles& roles = options_.self.roles;
    const std::string value = json::serialize(json::object{
        {"gateway", roles.gateway}, {"commands", roles.commands}, {"views", roles.views}});
    publish(0, std::string(node_key_begin) + options_.self.address, &value);
}

/// What does not arrive is written again with the next announcement.
void ShardGroup::publish(int partition, const std::string& key, const std::string* value) {
    std::array<rd_kafka_vu_t, 5> fields{};
    fields[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    fields[0].u.cstr = options_.topic.c_str();
    fields[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    fields[1].u.i32 = partition;
    fields[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    fields[2].u.i = RD_KAFKA_MSG_F_COPY;
    fields[3].vtype = RD_KAFKA_VTYPE_KEY;
    fields[3].u.mem = {.ptr = const_cast<char*>(key.data()), .size = key.size()};
    fields[4].vtype = RD_KAFKA_VTYPE_VALUE;
    if (value != nullptr)
        fields[4].u.mem = {.ptr = const_cast<char*>(value->data()), .size = value->size()};
    rd_kafka_error_t* error = rd_kafka_produceva(producer_.get(), fields.data(), fields.size());
    if (error == nullptr) return;
    spdlog::warn("{}: {}", options_.topic, rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
}

/// A member that closes leaves the group, and the others are assigned its shards at once.
void ShardGroup::leave_group() {
    if (std::exchange(gone_, true)) return;
    table_.lost();
    publish(0, std::string(node_key_begin) + options_.self.address, nullptr);
    const auto until = Clock::now() + goodbye_takes_at_most;
    if (member_) {
        rd_kafka_error_destroy(rd_kafka_consumer_close_queue(member_.get(), member_queue_.get()));
        while (!rd_kafka_consumer_closed(member_.get()) && Clock::now() < until) {
            const kafka::Owned<rd_kafka_event_t> event(
                rd_kafka_queue_poll(member_queue_.get(), 20));
            if (event && rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_REBALANCE) {
                rd_kafka_assign(member_.get(), nullptr);
            }
        }
    }
    rd_kafka_flush(producer_.get(), 500);
    const std::lock_guard lock(mutex_);
    left_ = true;
    changed_.notify_all();
}

/// Brokers that do not answer are not waited for.
void ShardGroup::close() {
    member_queue_.reset();
    reader_queue_.reset();
    if (member_) rd_kafka_destroy_flags(member_.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (reader_) rd_kafka_destroy_flags(reader_.release(), RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

}  // namespace bos::gateway
