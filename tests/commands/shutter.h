#pragma once

#include "eventstore/event_log.h"

#include <utility>

namespace bos::commands::test {

/// A log that can be made unreadable for a while, in front of another.
class Shutter final : public eventstore::EventLog {
  public:
    explicit Shutter(EventLog& behind) : behind_(behind) {}

    bool closed = false;

    void append(std::string record, eventstore::AppendDone done) override {
        behind_.append(std::move(record), std::move(done));
    }
    [[nodiscard]] bool is_shared() const override { return behind_.is_shared(); }
    void confirm(const TenantId& tenant, const eventstore::Head& end,
                 eventstore::AppendDone done) override {
        behind_.confirm(tenant, end, std::move(done));
    }
    [[nodiscard]] Result<eventstore::Head> head(const TenantId& tenant) const override {
        if (closed) return cannot_read();
        return behind_.head(tenant);
    }
    [[nodiscard]] Result<std::string> read(const TenantId& tenant,
                                           Position position) const override {
        if (closed) return cannot_read();
        return behind_.read(tenant, position);
    }
    [[nodiscard]] Result<void> scan(const TenantId& tenant, Position from, Position to,
                                    const Visit& visit) const override {
        if (closed) return cannot_read();
        return behind_.scan(tenant, from, to, visit);
    }
    [[nodiscard]] Result<std::vector<eventstore::EventAddress>> stream(
        const TenantId& tenant, const StreamId& stream, Version from,
        std::size_t limit) const override {
        if (closed) return cannot_read();
        return behind_.stream(tenant, stream, from, limit);
    }
    [[nodiscard]] Result<std::optional<Position>> find_key(const TenantId& tenant,
                                                           std::string_view key) const override {
        if (closed) return cannot_read();
        return behind_.find_key(tenant, key);
    }
    [[nodiscard]] Result<std::vector<TenantId>> tenants() const override {
        return behind_.tenants();
    }
    void stop() override { behind_.stop(); }

  private:
    static std::unexpected<Error> cannot_read() { return fail(Code::unavailable, "closed"); }

    EventLog& behind_;
};

}  // namespace bos::commands::test
