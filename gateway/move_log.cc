#include "gateway/move_log.h"

#include "eventstore/copy_log.h"
#include "schemas/base/digest.h"

#include <fmt/format.h>

namespace bos::gateway {

namespace fs = std::filesystem;

namespace {

constexpr std::uint64_t tell_every = 100'000;

}  // namespace

Result<void> move_away(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::rename(from, to, error);
    if (!error || error == std::errc::no_such_file_or_directory) return {};
    return fail(Code::unavailable, fmt::format("cannot move {} to {}: {}", from.string(),
                                               to.string(), error.message()));
}

Result<std::uint64_t> copy_all(const eventstore::EventLog& from, eventstore::EventLog& to,
                               const Tell& tell) {
    std::uint64_t copied = 0;
    BOS_TRY(const std::vector<TenantId> tenants, from.tenants());
    for (const TenantId& tenant : tenants) {
        BOS_TRY(const eventstore::Head before, to.head(tenant));
        const auto progress = [&](Position position) {
            if (position.value % tell_every == 0)
                tell(fmt::format("{}: {} records", tenant.value(), position.value));
        };
        BOS_TRY(const eventstore::Head head, copy_tenant(from, to, tenant, progress));
        const std::uint64_t added = head.position.value - before.position.value;
        copied += added;
        tell(fmt::format("{}: {} records, {} of them new, head {}", tenant.value(),
                         head.position.value, added, to_hex(head.hash)));
    }
    return copied;
}

Result<void> check_room_aside(const fs::path& data) {
    std::error_code ignored;
    if (!fs::exists(data / "promoted-log", ignored)) return {};
    return fail(Code::conflict,
                fmt::format("{} is the log from before an earlier promotion: remove it first",
                            (data / "promoted-log").string()));
}

/// The folder first: with it gone, the data folder is one whose log is on Kafka.
Result<void> put_embedded_log_aside(const fs::path& data) {
    BOS_CHECK(move_away(data / "log", data / "promoted-log"));
    return move_away(data / "log.mark", data / "promoted-log.mark");
}

Result<void> put_embedded_log_back(const fs::path& data) {
    BOS_CHECK(move_away(data / "promoted-log.mark", data / "log.mark"));
    return move_away(data / "promoted-log", data / "log");
}

}  // namespace bos::gateway
