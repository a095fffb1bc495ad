#pragma once

#include "eventstore/kafka_chain.h"
#include "eventstore/kafka_consumer.h"
#include "eventstore/kafka_handle.h"
#include "eventstore/kafka_producer.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace bos::eventstore::kafka {

/// Small facts that all nodes of an installation share: a topic of one partition that every node
/// reads from its beginning, in one order, into a copy of its own, and follows from then on
/// (docs/kafka.md). What a fact means, and which of two wins, is its reader's affair.
///
/// Thread-safe.
class SharedTopic {
  public:
    enum class Keep : std::uint8_t {
        all,            ///< every record, for ever
        newest_of_key,  ///< older records of a key, and tombstones, go within days (compaction)
    };
    struct Options {
        Properties properties;  ///< with bootstrap.servers; for security.protocol, sasl.*, ssl.*
        std::string topic;
        Keep keep = Keep::all;
        int replicas = 3;
        int min_insync_replicas = 2;
        /// Of one question to the cluster, of one append, and of silence while the topic is read.
        std::chrono::milliseconds timeout{10'000};
        std::size_t record_bytes_max = std::size_t{64} * 1024;
        std::size_t records_max = 16'384;  ///< appends without outcome; past it `unavailable`
    };

    struct Record {
        Offset offset;
        std::string_view key;
        std::optional<std::string_view> value;  ///< none: a tombstone
    };
    /// Where a copy stands, and what tells that the topic is still the one that it was read from.
    /// It is stored with the copy. The topic's first record is one that stays: never superseded.
    struct Place {
        std::string cluster;
        Offset next;      ///< the first offset that is not in the copy
        Offset first;     ///< of the first record that was there
        Hash first_hash;  ///< of its key and value

        friend bool operator==(const Place&, const Place&) = default;
    };
    [[nodiscard]] static std::string to_bytes(const Place& place);
    [[nodiscard]] static std::optional<Place> parse_place(std::string_view bytes);

    /// Puts records into the copy, with the place behind them, all or none; called in the order of
    /// offsets. After an error it is called again with the same records. Runs on: the topic's
    /// thread; from open() on.
    using Apply = std::function<Result<void>(std::span<const Record>, const Place& behind)>;

    /// Reads to the end that the topic has, from `place` on; without one from the beginning, and
    /// makes the topic when it is not there. When no broker answers, a copy that has a place is
    /// served as it is, and reading goes on when one does. Errors: unavailable; corrupt = the copy
    /// is of another cluster, or the topic is not what it was; invalid = the topic's settings, or a
    /// property that librdkafka does not take. Each says what to do.
    [[nodiscard]] static Result<std::unique_ptr<SharedTopic>> open(Options options,
                                                                   std::optional<Place> place,
                                                                   Apply apply);
    /// What is under way is answered as `unknown`.
    ~SharedTopic();
    SharedTopic(const SharedTopic&) = delete;
    SharedTopic& operator=(const SharedTopic&) = delete;

    struct Row {
        std::string key;
        std::optional<std::string> value;  ///< none: a tombstone. Never empty
    };
    /// The offset: the record is in all replicas that are in sync. Errors: unavailable = it never
    /// will be; unknown = it may be, now or later.
    using Done = std::move_only_function<void(Result<Offset>)>;
    /// `done` is called on the topic's thread. Errors: unavailable = nothing was sent, and `done`
    /// is not called.
    [[nodiscard]] Result<void> append(Row row, Done done);
    /// Returns when all are durable; the offset is that of the last one. Not on the topic's thread.
    [[nodiscard]] Result<Offset> append(std::vector<Row> rows);

    /// Waits until every append has its outcome, for `timeout` at most.
    void flush(std::chrono::milliseconds timeout);

    /// Returns when the record at `offset` is in the copy. Errors: unavailable.
    [[nodiscard]] Result<void> wait_for(Offset offset);
    /// Returns when all that the topic had when it was called is in the copy. Callers at the same
    /// time share one question. While no broker answers one caller waits for it, for `timeout`, and
    /// the others get their error at once. Errors: unavailable.
    [[nodiscard]] Result<void> refresh(std::chrono::milliseconds timeout);
    [[nodiscard]] Result<void> refresh() { return refresh(options_.timeout); }

    [[nodiscard]] const std::string& name() const { return options_.topic; }

  private:
    using Instant = std::chrono::steady_clock::time_point;
    struct Entry {
        Row row;
        Done done;
    };

    SharedTopic(Options options, std::optional<Place> place, Apply apply);

    void wake();
    /// With mutex_ held: records are with the producer. What is appended meanwhile goes with the
    /// next request: a broker answers a connection's requests one after the other all the same, and
    /// each costs it far more than a record does.
    [[nodiscard]] bool is_sending() const { return under_way_ > outbox_.size(); }
    [[nodiscard]] std::shared_ptr<Producer> producer() const;
    [[nodiscard]] Result<Offset> ask_for(std::int64_t end, std::chrono::milliseconds timeout) const;
    [[nodiscard]] Result<Offset> end_at_call(std::unique_lock<std::mutex>& lock,
                                             std::chrono::milliseconds timeout);
    [[nodiscard]] Result<void> wait_until_read(std::unique_lock<std::mutex>& lock, Offset end,
                                               std::chrono::milliseconds silence);

    // On thread_, or before it runs.
    [[nodiscard]] Result<void> first_connect();
    [[nodiscard]] Result<void> connect();
    [[nodiscard]] Result<void> check_place(Offset low, Offset high);
    [[nodiscard]] Result<void> check_first();
    void disconnect(Error why);
    void run();
    void send(std::deque<std::unique_ptr<Entry>> entries);
    void take_reports();
    void answer(const Producer::Report& report);
    void settle(Entry& entry, Result<Offset> outcome);
    void take_messages();
    void give_up();
    [[nodiscard]] Result<void> take(std::span<const Record> records);

    // Constant after construction.
    const Options options_;
    const Apply apply_;

    mutable std::mutex mutex_;  ///< never held when librdkafka is called: its threads wait for it
    std::condition_variable woken_;
    std::condition_variable moved_;
    // Guarded by mutex_.
    bool work_ = false;
    bool stopping_ = false;
    std::optional<Error> refusal_;  ///< not connected: why
    std::deque<std::unique_ptr<Entry>> outbox_;
    std::size_t under_way_ = 0;           ///< in outbox_, or with the producer
    Offset next_;                         ///< all before it is in the copy
    std::uint64_t asked_ = 0;             ///< calls that need a question begun after them
    std::uint64_t answered_ = 0;          ///< of these, those that have an answer
    std::shared_ptr<Producer> producer_;  ///< replaced on thread_ only
    bool asking_ = false;                 ///< a question is under way
    Result<Offset> end_ = Offset{};       ///< the last answer

    // Touched only by thread_ once it runs.
    std::optional<Place> place_;
    bool connected_ = false;
    Instant retry_at_{};

    std::unique_ptr<Consumer> consumer_;
    std::thread thread_;
};

}  // namespace bos::eventstore::kafka
