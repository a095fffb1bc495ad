#include "projections/runner.h"
#include "projections/views.h"
#include "tests/commands/log_facts.h"
#include "tests/commands/random_commands.h"
#include "tests/commands/rig.h"
#include "tests/projections/memory_store.h"

#include <rapidcheck.h>

#include <array>
#include <map>
#include <memory>
#include <set>

// Random commands of several tenants to two processes that both believe to own them; the records
// become durable, fail and get lost at random, and the processes end at random. The seed is all
// that a run depends on.

namespace bos::commands::test {

using Fault = eventstore::test::FaultyLog::Fault;

namespace {

class Simulation {
  public:
    Simulation(std::uint64_t seed, projections::ViewStore& views, std::vector<TenantId> tenants)
        : draws_(seed),
          tenants_(std::move(tenants)),
          runner_(views, projections::ViewSet(projections::Views{}), machine_.sealer) {
        for (const TenantId& id : tenants_) commands_.emplace(id, draws_);
        start(0);
        start(1);
    }

    void go(int steps) {
        for (int i = 0; i < steps; ++i) act();
        // What one owner writes can make the other decide again.
        for (int i = 0; i < 20; ++i) {
            for (const auto& owner : owners_) owner->settle();
        }
    }

    void check() {
        for (const Asked& asked : asked_) check_answer(asked);
        for (const TenantId& id : tenants_) {
            check_sound(machine_, id);
            (void)fold(commits_in(machine_, id));
            check_nothing_refused_is_written(id);
            check_views(id);
        }
    }

    std::size_t done = 0;
    std::size_t refused = 0;
    std::size_t unanswered = 0;

  private:
    struct Asked {
        Request request;
        Answer answer;
    };

    void act() {
        Rig& owner = *owners_[draws_.below(2)];
        const std::uint64_t kind = draws_.below(100);
        if (kind < 45) {
            ask(owner);
        } else if (kind < 70) {
            owner.poll();
            learn_new_leads();
        } else if (kind < 94) {
            owner.step();
        } else if (kind < 96) {
            machine_.clock.advance(std::chrono::seconds{draws_.between(-60, 600)});
        } else if (kind < 99) {
            owner.faults.fail_append(1 + draws_.below(3), static_cast<Fault>(draws_.below(5)));
        } else {
            start(draws_.below(2));
        }
    }

    /// A new process in the place of the former, which ends as it stands.
    void start(std::size_t which) {
        owners_.at(which).reset();
        learned_ = asked_.size();  // some of these will never be answered
        RecordingSink::Also also;
        if (which == 0) also = [this](const TenantId& id, auto commits) { project(id, commits); };
        owners_.at(which) = std::make_unique<Rig>(machine_, ShardLimits{}, std::move(also));
        if (which != 0) return;
        for (const TenantId& id : tenants_) REQUIRE(runner_.open(id, owners_[0]->log).has_value());
    }

    void project(const TenantId& id, std::span<const eventstore::Commit> commits) {
        for (const eventstore::Commit& commit : commits) learn_activities(id, commit);
        const auto projected = runner_.project(id, commits);
        if (projected) return;
        // The other owner wrote before this one opened the tenant.
        REQUIRE_EQ(projected.error().code, Code::conflict);
        REQUIRE(runner_.catch_up(id, owners_[0]->log).has_value());
    }

    void learn_activities(const TenantId& id, const eventstore::Commit& commit) {
        for (const eventstore::RecordedEvent& event : commit.events) {
            if (event.number != leads::ActivityScheduled::number) continue;
            commands_.at(id).learn(decode<leads::ActivityScheduled>(event.payload).value());
        }
    }

    void ask(Rig& owner) {
        Request next = a_request();
        asked_.push_back({next, owner.submit(std::move(next))});
    }

    Request a_request() {
        // Who got no answer asks again, and so do some who got one.
        if (!asked_.empty() && draws_.one_in(6)) return asked_[draws_.below(asked_.size())].request;
        const TenantId& id = tenants_[draws_.below(tenants_.size())];
        Request next = request(leads::ResumeLead{}, new_key());
        next.tenant = id;
        next.command = commands_.at(id).next();
        next.dry_run = draws_.one_in(12);
        if (draws_.one_in(8)) next.expected_version = Version{draws_.below(6)};
        return next;
    }

    void learn_new_leads() {
        for (; learned_ < asked_.size(); ++learned_) {
            const Asked& asked = asked_[learned_];
            if (!asked.answer.given()) return;
            if (!asked.answer.is_done() || !asked.answer.done().created) continue;
            commands_.at(asked.request.tenant).learn(asked.answer.lead());
        }
    }

    void check_answer(const Asked& asked) {
        if (!asked.answer.given()) {
            ++unanswered;
        } else if (asked.answer.is_done()) {
            ++done;
            if (!asked.request.dry_run && asked.answer.done().changed) check_written(asked);
        } else {
            ++refused;
        }
    }

    /// check_sound has seen that no key stands twice.
    void check_written(const Asked& asked) {
        const Done& told = asked.answer.done();
        const auto commits = commits_in(machine_, asked.request.tenant);
        REQUIRE(told.position.value <= commits.size());
        const eventstore::Commit& commit = commits[told.position.value - 1];
        REQUIRE_EQ(commit.key, asked.request.key);
        Version version;
        for (const eventstore::RecordedEvent& event : commit.events) {
            if (event.stream == told.target) version = event.version;
        }
        REQUIRE_EQ(version, told.version);
    }

    void check_nothing_refused_is_written(const TenantId& id) {
        std::set<std::string> may_be_written;
        for (const Asked& asked : asked_) {
            const bool refused_for_good = asked.answer.given() && !asked.answer.is_done() &&
                                          !asked.answer.fails_with(Code::unknown);
            if (asked.request.tenant == id && !asked.request.dry_run && !refused_for_good) {
                may_be_written.insert(asked.request.key);
            }
        }
        for (const std::string& key : keys_in(machine_, id)) {
            REQUIRE(may_be_written.contains(key));
        }
    }

    void check_views(const TenantId& id) {
        const eventstore::MemoryLog log({}, machine_.disk);
        REQUIRE(runner_.catch_up(id, log).has_value());
        const auto live = runner_.hash(id);
        REQUIRE(runner_.rebuild(id, log).has_value());
        REQUIRE(live.has_value());
        REQUIRE((runner_.hash(id).value() == *live));
    }

    Draws draws_;
    const std::vector<TenantId> tenants_;
    Machine machine_;
    projections::Runner runner_;
    std::map<TenantId, RandomCommands> commands_;
    std::array<std::unique_ptr<Rig>, 2> owners_;
    std::vector<Asked> asked_;
    std::size_t learned_ = 0;
};

}  // namespace

TEST_CASE("whatever fails and whoever else writes, log, answers and views tell the same") {
    projections::MemoryStore views;
    std::size_t runs = 0;
    std::size_t done = 0;
    std::size_t refused = 0;
    std::size_t unanswered = 0;
    CHECK(rc::check("two owners, faults and restarts", [&](std::uint64_t seed) {
        ++runs;
        std::vector<TenantId> tenants;
        for (int i = 0; i < 3; ++i) tenants.push_back(tenant(fmt::format("t{}-{}", runs, i)));
        Simulation simulation(seed, *views, tenants);
        simulation.go(400);
        simulation.check();
        done += simulation.done;
        refused += simulation.refused;
        unanswered += simulation.unanswered;
    }));
    MESSAGE("runs ", runs, ", done ", done, ", refused ", refused, ", unanswered ", unanswered);
    CHECK(done > refused);
    CHECK(unanswered > 0);
}

}  // namespace bos::commands::test
