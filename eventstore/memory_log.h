#pragma once

#include "eventstore/event_log.h"
#include "eventstore/step.h"

#include <memory>

namespace bos::eventstore {

/// What a MemoryLog has made durable. It outlives the log, so that a test or a simulation can drop
/// a log (a crash: what was not yet durable is gone) and open another on the same disk.
class MemoryDisk;
enum class Owners : std::uint8_t { one, several };
/// `owners`: several logs may append to it at once, so it is a shared log (EventLog::is_shared).
[[nodiscard]] std::shared_ptr<MemoryDisk> new_memory_disk(Owners owners = Owners::one);

/// The log in memory: the fake of every test and the simulator's disk.
///
/// Each append posts one step; a step makes the oldest waiting record durable and calls its done. A
/// confirm() takes its turn among them. A
/// seeded simulator gives a `post` that puts steps into its own queue, and so decides when a record
/// becomes durable and what else happens before; however it orders the steps, records become
/// durable in the order of their appends. Without `post` the step runs inside append(),
/// deterministic as well.
///
/// Thread-safe. A done may call append(), any read, or stop().
class MemoryLog final : public EventLog {
  public:
    explicit MemoryLog(Post post = {}, std::shared_ptr<MemoryDisk> disk = new_memory_disk());
    /// Steps that were posted and have not run do nothing any more; their done gets unavailable.
    ~MemoryLog() override;

    void append(std::string record, AppendDone done) override;
    [[nodiscard]] bool is_shared() const override;
    void confirm(const TenantId& tenant, const Head& end, AppendDone done) override;
    [[nodiscard]] Result<Head> head(const TenantId& tenant) const override;
    [[nodiscard]] Result<std::string> read(const TenantId& tenant,
                                           Position position) const override;
    [[nodiscard]] Result<void> scan(const TenantId& tenant, Position from, Position to,
                                    const Visit& visit) const override;
    [[nodiscard]] Result<std::vector<EventAddress>> stream(const TenantId& tenant,
                                                           const StreamId& stream, Version from,
                                                           std::size_t limit) const override;
    [[nodiscard]] Result<std::optional<Position>> find_key(const TenantId& tenant,
                                                           std::string_view key) const override;
    [[nodiscard]] Result<std::vector<TenantId>> tenants() const override;
    /// Answers what still waits with unavailable.
    void stop() override;

  private:
    class Queue;

    void step();

    // Constant after construction.
    const Post post_;
    const std::shared_ptr<MemoryDisk> disk_;
    const std::shared_ptr<Queue> queue_;
};

}  // namespace bos::eventstore
