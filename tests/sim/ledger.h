#pragma once

#include "commands/command.h"

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bos::sim {

/// What clients asked for and were told, kept outside of what is simulated. It knows what an answer
/// promises, and says so when a later one, or the log, breaks the promise.
class Ledger {
  public:
    using Number = std::size_t;

    /// One request, however often it was sent.
    struct Asked {
        commands::Request request;
        std::size_t sent = 0;
        std::size_t answered = 0;
        std::size_t unsure = 0;              ///< answers "unknown"
        std::optional<commands::Done> done;  ///< the first answer, unless it was a dry run

        bool definitive = false;  ///< the last answer was definitive
        /// What clients had been told when it was sent: an answer is not older than that.
        Position told = {};
        Version version = {};  ///< of its target
        /// A commit with its key may be in the log though nobody was told.
        [[nodiscard]] bool may_be_written() const {
            return !request.dry_run && (unsure > 0 || answered < sent);
        }
    };

    Number ask(commands::Request request);
    void sent(Number number);
    void answered(Number number, const commands::Outcome& outcome);
    /// The sink of a process got it: it is durable.
    void durable(const TenantId& tenant, Position position, const std::string& key);

    [[nodiscard]] const std::vector<Asked>& asked() const { return asked_; }
    /// Whose key this is, as far as clients were told; then those who may have written it.
    [[nodiscard]] std::vector<Number> with_key(const TenantId& tenant,
                                               const std::string& key) const;
    [[nodiscard]] const std::map<Position, std::string>& durable_of(const TenantId& tenant) const;
    /// The newest position that a client was told of.
    [[nodiscard]] Position told(const TenantId& tenant) const;

    void violate(std::string what);
    /// The first broken promise.
    [[nodiscard]] const std::optional<std::string>& violation() const { return violation_; }

  private:
    using Key = std::pair<TenantId, std::string>;

    void check_same(const Asked& asked, const commands::Done& now);
    void check_fresh(const Asked& asked, const commands::Outcome& outcome);
    void check_others(const Asked& asked, const commands::Done& now);

    std::vector<Asked> asked_;
    std::map<Key, std::vector<Number>> by_key_;
    std::map<TenantId, std::map<Position, std::string>> durable_;
    std::map<TenantId, Position> told_;
    std::map<std::pair<TenantId, StreamId>, Version> versions_;
    std::optional<std::string> violation_;
};

/// All that a client is told, on one line.
[[nodiscard]] std::string describe(const commands::Outcome& outcome);

}  // namespace bos::sim
