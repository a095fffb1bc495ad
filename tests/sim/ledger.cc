#include "tests/sim/ledger.h"

#include <fmt/format.h>

#include <algorithm>
#include <variant>

namespace bos::sim {

using commands::Done;
using commands::Outcome;

namespace {

bool is_definitive(const Outcome& outcome) {
    if (outcome) return true;
    const Error* error = std::get_if<Error>(&outcome.error());
    return error == nullptr || (error->code != Code::unknown && error->code != Code::unavailable &&
                                error->code != Code::full);
}

bool is_unknown(const Outcome& outcome) {
    if (outcome) return false;
    const Error* error = std::get_if<Error>(&outcome.error());
    return error != nullptr && error->code == Code::unknown;
}

/// Neither wrote nothing nor knows it: a fresh key that no commit carries.
bool leaves_no_record(const commands::Request& request, const Done& done) {
    return request.dry_run || (request.key_is_fresh && !done.changed);
}

StreamId target_of(const commands::Request& request) {
    return std::visit(
        [](const auto& module_command) {
            return std::visit([](const auto& command) { return command.stream(); }, module_command);
        },
        request.command);
}

bool same_request(const commands::Request& a, const commands::Request& b) {
    return a.command == b.command && a.caller.actor.id == b.caller.actor.id;
}

}  // namespace

Ledger::Number Ledger::ask(commands::Request request) {
    by_key_[{request.tenant, request.key}].push_back(asked_.size());
    asked_.push_back({.request = std::move(request), .done = std::nullopt});
    return asked_.size() - 1;
}

void Ledger::sent(Number number) {
    Asked& asked = asked_[number];
    // The oldest sending that is under way: it may be that one that is answered.
    if (asked.sent == asked.answered) {
        asked.told = told(asked.request.tenant);
        const auto known = versions_.find({asked.request.tenant, target_of(asked.request)});
        asked.version = known == versions_.end() ? Version{} : known->second;
    }
    ++asked.sent;
}

void Ledger::answered(Number number, const Outcome& outcome) {
    Asked& asked = asked_[number];
    ++asked.answered;
    asked.definitive = is_definitive(outcome);
    if (asked.answered > asked.sent) violate("more answers than requests: " + asked.request.key);
    if (is_unknown(outcome)) ++asked.unsure;
    check_fresh(asked, outcome);
    if (!outcome || leaves_no_record(asked.request, *outcome)) return;
    if (asked.done) return check_same(asked, *outcome);
    check_others(asked, *outcome);
    asked.done = *outcome;
    Position& told = told_[asked.request.tenant];
    told = std::max(told, outcome->position);
    Version& version = versions_[{asked.request.tenant, outcome->target}];
    version = std::max(version, outcome->version);
}

/// Whichever owner was asked, and whatever it knows: it has to know what clients were told before.
void Ledger::check_fresh(const Asked& asked, const Outcome& outcome) {
    const auto stale = [&](std::uint64_t seen, std::uint64_t known) {
        violate(fmt::format("key {} was answered {} at {}, and {} was told before it was sent",
                            asked.request.key, describe(outcome), seen, known));
    };
    if (outcome) {
        if (!outcome->repeated && outcome->position < asked.told)
            stale(outcome->position.value, asked.told.value);
    } else if (const auto* conflict = std::get_if<commands::VersionConflict>(&outcome.error())) {
        if (conflict->current < asked.version) stale(conflict->current.value, asked.version.value);
    } else if (const auto* no = std::get_if<Rejected>(&outcome.error())) {
        const bool sees_all = asked.request.caller.grants.scope == Scope::all;
        if (no->info.code == leads::info_of(leads::Rejection::lead_not_found).code && sees_all &&
            asked.version > Version{}) {
            stale(0, asked.version.value);
        }
    }
}

/// A key belongs to one request, which may have come from several clients.
void Ledger::check_others(const Asked& asked, const Done& now) {
    for (const Number number : with_key(asked.request.tenant, asked.request.key)) {
        const Asked& other = asked_[number];
        if (&other == &asked || !other.done) continue;
        if (!same_request(asked.request, other.request)) {
            violate("two requests with key " + asked.request.key + " are done");
        } else {
            check_same(other, now);
        }
    }
}

void Ledger::check_same(const Asked& asked, const Done& now) {
    const Done& first = *asked.done;
    const bool same = first.position == now.position && first.target == now.target &&
                      first.version == now.version && first.created == now.created &&
                      first.changed == now.changed;
    if (!same) {
        violate(fmt::format("key {} was answered {} and then {}", asked.request.key,
                            describe(first), describe(now)));
    }
}

void Ledger::durable(const TenantId& tenant, Position position, const std::string& key) {
    const auto [known, is_new] = durable_[tenant].emplace(position, key);
    if (!is_new && known->second != key) {
        violate(fmt::format("{} at {} was {} and then {}", tenant.value(), position.value,
                            known->second, key));
    }
}

std::vector<Ledger::Number> Ledger::with_key(const TenantId& tenant, const std::string& key) const {
    const auto found = by_key_.find({tenant, key});
    return found == by_key_.end() ? std::vector<Number>() : found->second;
}

const std::map<Position, std::string>& Ledger::durable_of(const TenantId& tenant) const {
    static const std::map<Position, std::string> none;
    const auto found = durable_.find(tenant);
    return found == durable_.end() ? none : found->second;
}

Position Ledger::told(const TenantId& tenant) const {
    const auto found = told_.find(tenant);
    return found == told_.end() ? Position{} : found->second;
}

void Ledger::violate(std::string what) {
    if (!violation_) violation_ = std::move(what);
}

std::string describe(const Outcome& outcome) {
    if (outcome) {
        return fmt::format("done at {} version {}{}{}{}", outcome->position.value,
                           outcome->version.value, outcome->created ? " created" : "",
                           outcome->changed ? "" : " unchanged",
                           outcome->repeated ? " repeated" : "");
    }
    struct Visitor {
        std::string operator()(const Rejected& no) const {
            return fmt::format("rejected {}", no.info.code);
        }
        std::string operator()(const commands::VersionConflict& no) const {
            return fmt::format("version is {}", no.current.value);
        }
        std::string operator()(const commands::KeyReused&) const { return "key reused"; }
        std::string operator()(const commands::Denied& no) const {
            return "denied " + no.permission;
        }
        std::string operator()(const Error& no) const {
            return fmt::format("error {}", name_of(no.code));
        }
    };
    return std::visit(Visitor{}, outcome.error());
}

}  // namespace bos::sim
