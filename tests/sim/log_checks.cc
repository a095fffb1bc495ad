#include "tests/sim/log_checks.h"

#include "schemas/base/codec.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bos::sim {

using eventstore::Commit;
using eventstore::EventAddress;
using eventstore::EventLog;

namespace {

template <class... Args>
std::unexpected<Error> broken(fmt::format_string<Args...> format, Args&&... args) {
    return fail(Code::corrupt, fmt::format(format, std::forward<Args>(args)...));
}

Result<std::vector<Commit>> commits_of(const EventLog& log, const TenantId& tenant) {
    BOS_TRY(const eventstore::Head head, log.head(tenant));
    std::vector<Commit> commits;
    Result<void> decoded;
    BOS_CHECK(log.scan(tenant, Position{1}, head.position, [&](Position, std::string_view bytes) {
        auto commit = eventstore::decode(bytes);
        if (!commit) {
            decoded = std::unexpected(commit.error());
            return false;
        }
        commits.push_back(*std::move(commit));
        return true;
    }));
    BOS_CHECK(decoded);
    if (commits.size() != head.position.value) {
        return broken("{} ends at {} and has {} records", tenant.value(), head.position.value,
                      commits.size());
    }
    return commits;
}

Result<void> check_streams(const EventLog& log, const TenantId& tenant,
                           const std::vector<Commit>& commits) {
    std::map<StreamId, std::vector<EventAddress>> streams;
    std::uint64_t last_number = 0;
    for (const Commit& commit : commits) {
        for (std::uint32_t i = 0; i < commit.events.size(); ++i) {
            const eventstore::RecordedEvent& event = commit.events[i];
            auto& stream = streams[event.stream];
            if (event.version.value != stream.size() + 1) {
                return broken("{} at {}: a stream goes from version {} to {}", tenant.value(),
                              commit.position.value, stream.size(), event.version.value);
            }
            stream.push_back({event.version, commit.position, i});
            if (event.number != leads::LeadNumberTaken::number) continue;
            BOS_TRY(const auto taken, decode<leads::LeadNumberTaken>(event.payload));
            if (taken.lead_number != ++last_number) {
                return broken("{} at {}: lead number {} instead of {}", tenant.value(),
                              commit.position.value, taken.lead_number, last_number);
            }
        }
    }
    for (const auto& [id, events] : streams) {
        BOS_TRY(const auto found, log.stream(tenant, id, Version{1}, events.size() + 1));
        if (found != events) {
            return broken("{}: a stream of {} events is found as {}", tenant.value(), events.size(),
                          found.size());
        }
    }
    return {};
}

Result<void> check_keys(const EventLog& log, const TenantId& tenant,
                        const std::vector<Commit>& commits, const Ledger& ledger) {
    std::map<std::string, Position> keys;
    for (const Commit& commit : commits) {
        if (!keys.emplace(commit.key, commit.position).second)
            return broken("{}: key {} stands twice", tenant.value(), commit.key);
        BOS_TRY(const auto found, log.find_key(tenant, commit.key));
        if (found != commit.position)
            return broken("{}: key {} is not found", tenant.value(), commit.key);
        const auto with_key = ledger.with_key(tenant, commit.key);
        const bool asked_for = std::ranges::any_of(with_key, [&](Ledger::Number number) {
            const Ledger::Asked& asked = ledger.asked()[number];
            return asked.done || asked.may_be_written();
        });
        if (!asked_for) {
            return broken("{} at {}: key {} is written, and who asked was refused", tenant.value(),
                          commit.position.value, commit.key);
        }
    }
    return {};
}

Result<void> check_promise(const Ledger::Asked& asked, const std::vector<Commit>& commits,
                           const Ledger& ledger) {
    const commands::Done& told = *asked.done;
    const std::string& key = asked.request.key;
    if (told.position.value == 0 || told.position.value > commits.size()) {
        return broken("key {} is acknowledged at {}, the log ends at {}", key, told.position.value,
                      commits.size());
    }
    const Commit& commit = commits[told.position.value - 1];
    if (commit.key != key) {
        return broken("key {} is acknowledged at {}, where {} stands", key, told.position.value,
                      commit.key);
    }
    if (told.changed == commit.events.empty()) return broken("key {}: changed or not?", key);
    Version first;
    Version last = commit.target_version;
    for (const eventstore::RecordedEvent& event : commit.events) {
        if (event.stream != told.target) continue;
        if (first.value == 0) first = event.version;
        last = event.version;
    }
    if (last != told.version) {
        return broken("key {} is told version {} and has {}", key, told.version.value, last.value);
    }
    const auto& expected = asked.request.expected_version;
    // Who sends a key again may expect another version: the first answer is given all the same.
    const bool its_own =
        !told.repeated && ledger.with_key(asked.request.tenant, asked.request.key).size() == 1;
    if (expected && its_own && first.value > 0 && first != expected->next()) {
        return broken("key {} expected version {} and wrote {}", key, expected->value, first.value);
    }
    return {};
}

}  // namespace

Result<void> check_log(const EventLog& log, const TenantId& tenant, const Ledger& ledger) {
    BOS_CHECK(eventstore::verify_chain(log, tenant));
    BOS_TRY(const std::vector<Commit> commits, commits_of(log, tenant));
    BOS_CHECK(check_streams(log, tenant, commits));
    BOS_CHECK(check_keys(log, tenant, commits, ledger));
    for (const Ledger::Asked& asked : ledger.asked()) {
        if (asked.done && asked.request.tenant == tenant) {
            BOS_CHECK(check_promise(asked, commits, ledger));
        }
    }
    for (const auto& [position, key] : ledger.durable_of(tenant)) {
        if (position.value > commits.size() || commits[position.value - 1].key != key) {
            return broken("{} at {} was durable with key {} and is not there", tenant.value(),
                          position.value, key);
        }
    }
    return {};
}

}  // namespace bos::sim
