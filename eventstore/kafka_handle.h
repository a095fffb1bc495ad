#pragma once

#include "schemas/base/result.h"

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bos::eventstore::kafka {

/// librdkafka's names for its settings: {"security.protocol", "ssl"}.
using Properties = std::vector<std::pair<std::string, std::string>>;

struct Destroy {
    void operator()(rd_kafka_t* handle) const { rd_kafka_destroy(handle); }
    void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
    void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
    void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
    void operator()(rd_kafka_message_t* message) const { rd_kafka_message_destroy(message); }
    void operator()(rd_kafka_topic_partition_list_t* partitions) const {
        rd_kafka_topic_partition_list_destroy(partitions);
    }
    void operator()(const rd_kafka_metadata_t* metadata) const {
        rd_kafka_metadata_destroy(metadata);
    }
};
template <class T>
using Owned = std::unique_ptr<T, Destroy>;
using Metadata = Owned<const rd_kafka_metadata_t>;

/// The one place where librdkafka's codes become ours. `doing` says what was tried.
[[nodiscard]] std::unexpected<Error> failed(rd_kafka_resp_err_t error, std::string_view doing);

/// Called on the thread that polls, with `opaque`.
struct Reports {
    /// Gets what goes wrong with brokers, by librdkafka's codes and in its words.
    void (*on_error)(rd_kafka_t*, int code, const char* reason, void* opaque) = nullptr;
    /// Gets each message that was produced.
    void (*on_report)(rd_kafka_t*, const rd_kafka_message_t*, void* opaque) = nullptr;
    /// Gets what a member of a group is assigned, or has to give back, and tells librdkafka that it
    /// knows.
    void (*on_rebalance)(rd_kafka_t*, rd_kafka_resp_err_t, rd_kafka_topic_partition_list_t*,
                         void* opaque) = nullptr;
    void* opaque = nullptr;
};

/// A client of the given kind. librdkafka's own messages go to spdlog. Errors: invalid = a property
/// that it does not know, or a value that it does not take.
[[nodiscard]] Result<Owned<rd_kafka_t>> open_handle(rd_kafka_type_t type,
                                                    const Properties& properties,
                                                    const Reports& reports = {});

/// Calls `wake` on a thread of librdkafka whenever `queue` stops being empty. `wake` outlives the
/// queue and calls nothing of librdkafka.
void wake_on(rd_kafka_queue_t* queue, const std::function<void()>& wake);

/// What the cluster knows about one topic, or about all when `topic` is null. Blocks for at most
/// `timeout_ms`.
[[nodiscard]] Result<Metadata> metadata_of(rd_kafka_t* handle, rd_kafka_topic_t* topic,
                                           int timeout_ms);

/// Where the only partition of `topic` begins or ends: `which` is one of librdkafka's two names for
/// it. Blocks for at most `timeout`, or a little more, even when the partition's leader is gone: in
/// librdkafka 2.0.2 rd_kafka_query_watermark_offsets waits for that one for ever.
[[nodiscard]] Result<std::int64_t> ask_for_offset(rd_kafka_t* handle, const std::string& topic,
                                                  std::int64_t which,
                                                  std::chrono::milliseconds timeout);

/// Where the only partitions of many topics end, in their order: one question to each leader. Fails
/// as a whole when some leader does not answer in time. Blocks for at most `timeout`.
[[nodiscard]] Result<std::vector<Result<std::int64_t>>> ask_for_ends(
    rd_kafka_t* handle, const std::vector<std::string>& topics, std::chrono::milliseconds timeout);

}  // namespace bos::eventstore::kafka
