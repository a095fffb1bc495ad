#include "tests/sim/simulation.h"

#include "tests/sim/clients.h"
#include "tests/sim/disk_env.h"
#include "tests/sim/log_checks.h"
#include "tests/sim/machine.h"
#include "tests/sim/past.h"
#include "tests/sim/process.h"

#include <array>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

namespace bos::sim {

namespace {

constexpr Scheduler::Owner world = 0;
/// A run has some thousands.
constexpr std::uint64_t steps_max = 400'000;
constexpr int starts_in_a_row_max = 200;

using Fault = eventstore::test::FaultyLog::Fault;

class Simulation {
  public:
    Simulation(std::uint64_t seed, bool print)
        : machine_(Plan::of(seed), print),
          tenants_(tenants_of(machine_.plan)),
          clients_(machine_, tenants_),
          past_(machine_) {}
    ~Simulation() {
        for (auto& process : processes_) process.reset();
        machine_.scheduler.drop(world);
    }
    Simulation(const Simulation&) = delete;
    Simulation& operator=(const Simulation&) = delete;

    Report run() {
        Report report;
        report.seed = machine_.plan.seed;
        report.plan = machine_.plan.text();
        machine_.trace.note("seed {}: {}", report.seed, report.plan);
        live();
        if (sound()) recover_all();
        if (sound()) ask_all_again();
        if (sound()) check();
        report.faults = machine_.trace.faults();
        report.steps = machine_.scheduler.steps();
        report.starts = starts_;
        report.virtual_micros = static_cast<std::uint64_t>(machine_.scheduler.now().count());
        for (const TenantId& tenant : tenants_) {
            report.commits += machine_.ledger.durable_of(tenant).size();
        }
        for (const Ledger::Asked& asked : machine_.ledger.asked()) {
            report.acknowledged += asked.done.has_value() ? 1 : 0;
        }
        report.violation = machine_.ledger.violation();
        report.digest = machine_.trace.finish();
        return report;
    }

  private:
    static std::vector<TenantId> tenants_of(const Plan& plan) {
        std::vector<TenantId> tenants;
        for (std::size_t i = 0; i < plan.tenants; ++i) {
            tenants.push_back(TenantId::parse(fmt::format("tenant-{}", i)).value());
        }
        return tenants;
    }

    [[nodiscard]] bool sound() const { return !machine_.ledger.violation().has_value(); }
    void check(const Result<void>& result) {
        if (!result) machine_.ledger.violate(result.error().detail);
    }

    // --- the phases of a run --------------------------------------------------------------------

    void live() {
        for (std::size_t place = 0; place < machine_.plan.owners && sound(); ++place) start(place);
        requests_left_ = machine_.plan.requests;
        for (std::uint32_t client = 0; client < machine_.plan.clients; ++client) {
            take_turn_later(client, {});
        }
        if (machine_.plan.trouble_every.count() > 0) make_trouble_later();
        run_to_rest();
    }

    /// The power goes once more, when nothing is under way.
    void recover_all() {
        troubled_ = false;
        for (std::size_t place = 0; place < machine_.plan.owners && sound(); ++place) {
            processes_.at(place)->faults().crash("last-crash", DiskFaults::End::power_loss);
        }
        run_to_rest();
    }

    /// Keys never expire: who sends one again gets the first answer.
    void ask_all_again() {
        for (Ledger::Number number = 0; number < machine_.ledger.asked().size(); ++number) {
            if (can_be_asked_again(machine_.ledger.asked()[number])) send(number, {});
        }
        run_to_rest();
        for (const Ledger::Asked& asked : machine_.ledger.asked()) {
            if (can_be_asked_again(asked) && !asked.definitive) {
                machine_.ledger.violate("key " + asked.request.key + " gets no answer any more");
            }
        }
    }

    static bool can_be_asked_again(const Ledger::Asked& asked) {
        return asked.done && !asked.request.key_is_fresh;
    }

    void check() {
        Process& process = *processes_[0];
        for (const TenantId& tenant : tenants_) {
            if (!sound()) return;
            check(check_log(process.log(), tenant, machine_.ledger));
            const auto head = process.log().head(tenant);
            if (!head) return machine_.ledger.violate("no head: " + head.error().detail);
            machine_.trace.note("{} ends at {}: {}", tenant.value(), head->position.value,
                                to_hex(head->hash));
            const auto applied = process.runner().catch_up(tenant, process.log());
            if (!applied || *applied != head->position) {
                return machine_.ledger.violate("views do not reach the end of " +
                                               std::string(tenant.value()));
            }
        }
        check(past_.replay(tenants_, process.log(), process.runner()));
    }

    /// Until nothing is left to do.
    void run_to_rest() {
        while (sound()) {
            for (std::size_t place = 0; place < machine_.plan.owners; ++place) {
                if (processes_.at(place)->crashed()) start(place);
            }
            if (!sound() || !machine_.scheduler.run_one()) return;
            const Scheduler::Lane& lane = machine_.scheduler.last();
            machine_.trace.note("{} {} {}", machine_.scheduler.now().count(), lane.owner,
                                lane.name);
            if (machine_.scheduler.steps() > steps_max) {
                machine_.ledger.violate("it does not come to rest");
            }
        }
    }

    // --- processes ------------------------------------------------------------------------------

    /// In the place of the former process, which ends as it stands. Starts may end early as well.
    void start(std::size_t place) {
        for (int i = 0; i < starts_in_a_row_max; ++i) {
            std::unique_ptr<Process>& process = processes_.at(place);
            if (process && process->crashed()) machine_.disks.at(place) = process->faults().left();
            process.reset();
            process = std::make_unique<Process>(
                machine_, place,
                [this](const TenantId& tenant, std::span<const eventstore::Commit> commits) {
                    committed(tenant, commits);
                });
            ++starts_;
            // A start may end early, too.
            if (troubled_ && drawn(machine_.plan.crash_at_op_rate)) {
                process->faults().crash_at(1 + machine_.draws.below(60));
            }
            machine_.trace.note("start {}", place);
            const Result<void> opened = process->open(tenants_);
            if (process->crashed()) continue;
            if (!opened) {
                machine_.ledger.violate("it does not start: " + opened.error().detail);
            } else {
                check_recovered(*process);
            }
            return;
        }
        machine_.ledger.violate("it never starts");
    }

    /// At once, and not only when the run is over: what was acknowledged is there.
    void check_recovered(Process& process) {
        for (const TenantId& tenant : tenants_) {
            const auto head = process.log().head(tenant);
            if (!head) return machine_.ledger.violate("no head: " + head.error().detail);
            machine_.trace.note("{} recovered to {}", tenant.value(), head->position.value);
            if (head->position >= machine_.ledger.told(tenant)) continue;
            machine_.ledger.violate(fmt::format("{} recovered to {}, acknowledged was {}",
                                                tenant.value(), head->position.value,
                                                machine_.ledger.told(tenant).value));
        }
    }

    void committed(const TenantId& tenant, std::span<const eventstore::Commit> commits) {
        for (const eventstore::Commit& commit : commits) {
            machine_.ledger.durable(tenant, commit.position, commit.key);
            if (known_.emplace(tenant, commit.position).second) clients_.learn(tenant, commit);
        }
    }

    // --- clients --------------------------------------------------------------------------------

    struct Client {
        std::optional<Ledger::Number> asks;
        std::uint64_t turn = 0;  ///< a turn that was planned before another one is void
    };

    void take_turn_later(std::uint32_t client, Duration delay) {
        const std::uint64_t turn = ++clients_state_.at(client).turn;
        machine_.scheduler.post(
            {world, 0, "client"},
            [this, client, turn] {
                if (clients_state_.at(client).turn == turn) take_turn(client);
            },
            delay);
    }

    void take_turn(std::uint32_t client) {
        Client& state = clients_state_.at(client);
        if (machine_.draws.one_in(6)) look_back();
        if (!state.asks) {
            if (requests_left_ == 0) return;
            --requests_left_;
            state.asks = clients_.next();
        }
        const Ledger::Number number = *state.asks;
        // Who has no key of its own cannot ask again.
        const Ledger::Asked& asked = machine_.ledger.asked()[number];
        if (asked.request.key_is_fresh && asked.sent > 0) {
            state.asks.reset();
            return take_turn_later(client, {});
        }
        take_turn_later(client, machine_.plan.patience);
        send(number, client);
    }

    void send(Ledger::Number number, std::optional<std::uint32_t> client) {
        const std::size_t place = machine_.draws.below(machine_.plan.owners);
        const commands::Request& request = machine_.ledger.asked()[number].request;
        machine_.trace.note("ask {} of {}: {} {}", number, place, request.tenant.value(),
                            request.key);
        machine_.ledger.sent(number);
        processes_.at(place)->submit(
            request, [this, number, client, place](const commands::Outcome& outcome) {
                answered(number, client, place, outcome);
            });
    }

    void answered(Ledger::Number number, std::optional<std::uint32_t> client, std::size_t place,
                  const commands::Outcome& outcome) {
        machine_.trace.note("answer {}: {}", number, describe(outcome));
        machine_.ledger.answered(number, outcome);
        check_reads_own_writes(number, place, outcome);
        if (!client) return;
        Client& state = clients_state_.at(*client);
        if (state.asks != number) return;
        if (machine_.ledger.asked()[number].definitive) state.asks.reset();
        take_turn_later(*client, think());
    }

    Duration think() {
        return Duration(machine_.draws.between(0, machine_.plan.think_max.count()));
    }

    void check_reads_own_writes(Ledger::Number number, std::size_t place,
                                const commands::Outcome& outcome) {
        const commands::Request& request = machine_.ledger.asked()[number].request;
        projections::ViewStore* const views = processes_.at(place)->views();
        if (!outcome || request.dry_run || views == nullptr) return;
        // Of two owners at once neither has read the log to its end as one does that takes over:
        // what the other wrote comes to the views with the own next record.
        const bool wrote = outcome->changed && !outcome->repeated;
        if (!wrote && machine_.plan.owners > 1) return;
        const auto known = views->views(request.tenant);
        if (known && known->applied >= outcome->position) return;
        machine_.ledger.violate(fmt::format("{} is acknowledged at {}, its views are not there",
                                            request.key, outcome->position.value));
    }

    void look_back() {
        Process& process = *processes_[0];
        const TenantId& tenant = tenants_[machine_.draws.below(tenants_.size())];
        past_.look(tenant, *process.views(), process.runner().views());
    }

    // --- trouble --------------------------------------------------------------------------------

    [[nodiscard]] bool drawn(std::uint64_t rate) { return machine_.draws.below(1000) < rate; }

    void make_trouble_later() {
        const Duration delay(machine_.draws.between(0, 2 * machine_.plan.trouble_every.count()));
        machine_.scheduler.post({world, 0, "trouble"}, [this] { make_trouble(); }, delay);
    }

    void make_trouble() {
        const Plan& plan = machine_.plan;
        const std::size_t place = machine_.draws.below(plan.owners);
        Process& process = *processes_.at(place);
        if (done()) return heal();
        if (drawn(plan.crash_rate)) {
            process.faults().crash("crash", machine_.draws.one_in(4) ? DiskFaults::End::kill
                                                                     : DiskFaults::End::power_loss);
        }
        if (drawn(plan.crash_at_op_rate)) {
            process.faults().crash_at(1 + machine_.draws.below(40));
        }
        if (drawn(plan.append_rate)) fail_an_append(process);
        if (drawn(plan.sync_rate)) process.faults().fail_sync(1 + machine_.draws.below(6));
        if (drawn(plan.full_rate)) fill_disk(process);
        if (drawn(plan.clock_rate)) jump();
        if (drawn(plan.erasure_rate)) erase_somebody();
        make_trouble_later();
    }

    /// All requests are answered.
    [[nodiscard]] bool done() const {
        if (requests_left_ > 0) return false;
        for (const Client& client : clients_state_) {
            if (client.asks) return false;
        }
        return true;
    }

    void heal() {
        troubled_ = false;
        for (auto& process : processes_) {
            if (process) process->faults().heal();
        }
    }

    void fail_an_append(Process& process) {
        const auto fault = static_cast<Fault>(machine_.draws.below(6));
        const std::uint64_t n = 1 + machine_.draws.below(3);
        static constexpr std::array<const char*, 6> names = {"append-conflict",    "append-full",
                                                             "append-unavailable", "append-lost",
                                                             "append-answer-lost", "append-late"};
        machine_.trace.fault(names.at(static_cast<std::size_t>(fault)), "append {}", n);
        process.faulty_log()->fail_append(n, fault);
    }

    void fill_disk(Process& process) {
        machine_.trace.fault("full-disk", "for a while");
        process.faults().set_full(true);
        machine_.scheduler.post(
            {world, 0, "space"},
            [this] {
                for (auto& each : processes_) {
                    if (each) each->faults().set_full(false);
                }
            },
            Duration(machine_.draws.between(0, 100'000)));
    }

    void jump() {
        const Duration by(machine_.draws.between(-3'600'000'000, 3'600'000'000));
        machine_.trace.fault("clock-jump", "{} us", by.count());
        machine_.clock.jump(by);
    }

    void erase_somebody() {
        const TenantId& tenant = tenants_[machine_.draws.below(tenants_.size())];
        const auto& leads = clients_.leads_of(tenant);
        if (leads.empty()) return;
        const leads::LeadId lead = leads[machine_.draws.below(leads.size())];
        machine_.trace.fault("erasure", "{} {}", tenant.value(), to_string(lead.value()));
        check(machine_.keys.destroy(tenant, {leads::LeadState::aggregate, lead.value()}));
    }

    Machine machine_;
    const std::vector<TenantId> tenants_;
    Clients clients_;
    Past past_;
    std::array<std::unique_ptr<Process>, 2> processes_;
    std::vector<Client> clients_state_ = std::vector<Client>(machine_.plan.clients);
    std::set<std::pair<TenantId, Position>> known_;
    std::size_t requests_left_ = 0;
    std::uint64_t starts_ = 0;
    bool troubled_ = true;
};

}  // namespace

Report simulate(std::uint64_t seed, bool print) {
    reseed_rocksdb(seed);
    return Simulation(seed, print).run();
}

}  // namespace bos::sim
