#include "tests/commands/requests.h"
#include "tests/eventstore/temp_folder.h"
#include "tests/faults/fault_point.h"
#include "tests/faults/node.h"
#include "tests/faults/readings.h"
#include "tests/sim/log_checks.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <string>

namespace bos::faults {

namespace {

using commands::test::acme;
using sim::Ledger;

const std::string went_on = "went on";
const std::string stopped = "stopped";
const std::string no_start = "did not start";

/// Some day of the same work: three processes one after the other on one disk, clients that send
/// again what was not answered for good, and readers.
class Day {
  public:
    explicit Day(std::optional<Fault> fault)
        : point_(fault), name_(fault ? text_of(*fault) : "none") {
        world_.master_key = folder_ / "master.key";
        world_.seed = std::hash<std::string>()(name_);
    }

    /// What came of it, for the one who started the processes.
    [[nodiscard]] std::string live() {
        point_.watch(*world_.disk);
        std::string came_of_it = went_on;
        using Work = void (Day::*)(Node&);
        for (const Work work : {&Day::begin, &Day::go_on, &Day::look}) {
            came_of_it = one_life(work);
            if (came_of_it != went_on) break;
        }
        check();
        return came_of_it;
    }

    [[nodiscard]] const FaultPoint& point() const { return point_; }
    [[nodiscard]] const std::optional<std::string>& violation() const {
        return world_.ledger.violation();
    }
    [[nodiscard]] std::size_t readings() const { return readings_.answered(); }

  private:
    std::string one_life(void (Day::*work)(Node&)) {
        Node node(world_);
        const Result<void> opened = node.open();
        std::string came_of_it = no_start;
        if (opened) {
            (this->*work)(node);
            point_.heal();
            came_of_it = settle(node);
        } else {
            point_.heal();
        }
        if (node.ended()) came_of_it = stopped;
        if (came_of_it != went_on) left_ = node.left();
        return came_of_it;
    }

    /// After a fault has passed everything is answered, and seen by readers.
    std::string settle(Node& node) {
        send_again(node);
        ask(node, commands::test::capture());
        point_.heal();
        send_again(node);  // the fault may have waited for that one
        readings_.take(node);
        const bool answered = std::ranges::all_of(
            world_.ledger.asked(), [](const Ledger::Asked& asked) { return asked.definitive; });
        if (!answered) return "refuses until it is restarted";
        return node.views_stand_still() ? "views stand still" : went_on;
    }

    void begin(Node& node) {
        for (int i = 1; i <= 12; ++i) capture(node);
        change(node, 1, [](leads::LeadId lead) { return leads::QualifyLead{.lead = lead}; });
        change(node, 2, [](leads::LeadId lead) { return commands::test::rename(lead, "Smith"); });
        readings_.take(node);
        send_again(node);
        change(node, 4, [](leads::LeadId lead) { return leads::ArchiveLead{.lead = lead}; });
        erase_someone(node);
        readings_.take(node);
    }
    void go_on(Node& node) {
        readings_.take(node);
        change(node, 5, [](leads::LeadId lead) { return leads::ArchiveLead{.lead = lead}; });
        change(node, 3, [](leads::LeadId lead) { return commands::test::rename(lead, "Smith"); });
        change(node, 4, [](leads::LeadId lead) { return leads::RestoreLead{.lead = lead}; });
        for (int i = 1; i <= 4; ++i) capture(node);
        change(node, 1, [](leads::LeadId lead) { return commands::test::tag(lead, "vip"); });
        erase_someone(node);
        readings_.take(node);
    }
    /// The views are built anew, by files; if that fails they are what they were.
    void look(Node& node) {
        readings_.take(node);
        if (node.ended()) return;
        static_cast<void>(node.runner().rebuild(acme, node.log()));
        readings_.take(node);
    }

    void capture(Node& node) {
        leads::CaptureLead command = commands::test::capture();
        ++captured_;
        command.profile.given_name = Pii(fmt::format("Person {}", captured_));
        command.profile.emails = Pii<std::vector<std::string>>(
            std::vector<std::string>{fmt::format("person{}@example.com", captured_)});
        command.profile.description = Pii(std::string(4'000, 'd'));
        leads_.push_back(ask(node, std::move(command)));
    }
    template <class Command>
    void change(Node& node, std::size_t number, const Command& command) {
        if (leads_.size() < number) return;
        const auto& captured = world_.ledger.asked()[leads_[number - 1]];
        if (captured.done) ask(node, command(leads::LeadId(captured.done->target.id)));
    }
    template <class Command>
    Ledger::Number ask(Node& node, Command command) {
        const Ledger::Number number = world_.ledger.ask(commands::test::request(
            std::move(command), fmt::format("key-{}", world_.ledger.asked().size())));
        world_.clock.advance(std::chrono::seconds(1));
        if (!node.ended()) node.ask(number);
        return number;
    }
    /// As a client does who does not know.
    void send_again(Node& node) {
        for (Ledger::Number number = 0; number < world_.ledger.asked().size(); ++number) {
            if (node.ended()) return;
            if (!world_.ledger.asked()[number].definitive) node.ask(number);
        }
    }

    /// A field of someone whose key is destroyed afterwards.
    struct Erased {
        StreamId subject;
        std::string sealed;
        bool told = false;  ///< that it is destroyed
    };
    void erase_someone(Node& node) {
        if (node.ended()) return;
        Erased someone{.subject = {1, eventstore::test::uuid(7'000 + erased_.size())},
                       .sealed = {}};
        auto sealed = node.sealer().seal(acme, someone.subject, "name", "Nobody");
        if (!sealed) return;
        someone.sealed = *std::move(sealed);
        const auto secret = node.keys().tenant_secret(acme);
        const auto destroyed = node.keys().destroy(acme, someone.subject);
        someone.told = destroyed && !node.ended();
        erased_.push_back(std::move(someone));
        look_at_erased(node);
    }
    void look_at_erased(Node& node) {
        for (const Erased& someone : erased_) {
            const auto opened = node.sealer().open(acme, someone.subject, "name", someone.sealed);
            if (node.ended()) return;
            if (opened && someone.told) world_.ledger.violate("who was erased can be read");
        }
    }

    /// A process on a sound disk has everything that was promised.
    void check() {
        world_.disk = left_ ? left_ : world_.disk;
        if (!left_) world_.disk = world_.disk->after_power_loss(draws_);
        Node node(world_);
        if (const Result<void> opened = node.open(); !opened) {
            return world_.ledger.violate("it does not start again: " + opened.error().detail);
        }
        const auto hold = [&](const Result<void>& so) {
            if (!so) world_.ledger.violate(so.error().detail);
        };
        ask(node, commands::test::capture());
        hold(sim::check_log(node.log(), acme, world_.ledger));
        for (Ledger::Number number = 0; number < world_.ledger.asked().size(); ++number) {
            node.ask(number);
            if (!world_.ledger.asked()[number].definitive)
                world_.ledger.violate("no definite answer on a sound disk");
        }
        const std::size_t before = readings_.answered();
        readings_.take(node);
        if (readings_.answered() == before) world_.ledger.violate("nothing can be read");
        hold(sim::check_log(node.log(), acme, world_.ledger));
        hold(readings_.compare(node));
        look_at_erased(node);
    }

    const eventstore::test::TempFolder folder_;
    FaultPoint point_;
    const std::string name_;
    World world_;
    Draws draws_{7};
    std::shared_ptr<sim::Disk> left_;
    Readings readings_{world_};
    std::vector<Ledger::Number> leads_;
    std::vector<Erased> erased_;
    int captured_ = 0;
};

/// How many times of a site are tried. Reads of rows come from many places.
std::uint64_t tries_of(const Site& site) {
    if (const char* const given = std::getenv("BOS_FAULTS_EACH"))
        return std::strtoull(given, nullptr, 10);
    const bool rows = site.file == "table" || site.file == "bulk" || site.file == "rows";
    return rows && site.operation == sim::Disk::Operation::read ? 16 : 1;
}

/// Spread evenly over all times.
std::vector<std::uint64_t> ordinals_of(std::uint64_t count, std::uint64_t tries) {
    std::vector<std::uint64_t> ordinals;
    const std::uint64_t wanted = std::min(count, tries);
    for (std::uint64_t i = 0; i < wanted; ++i)
        ordinals.push_back(1 + (2 * i + 1) * count / (2 * wanted));
    return ordinals;
}

std::vector<Fault> faults_to_try(const std::map<Site, std::uint64_t>& counted) {
    if (const char* const one = std::getenv("BOS_FAULT")) {
        const auto fault = fault_of(one);
        REQUIRE(fault);
        return {*fault};
    }
    const char* const only = std::getenv("BOS_FAULTS_AT");  // what the text of a site begins with
    std::vector<Fault> faults;
    for (const auto& [site, count] : counted) {
        if (only != nullptr && !text_of({.site = site}).starts_with(only)) continue;
        for (const std::uint64_t ordinal : ordinals_of(count, tries_of(site))) {
            for (const Kind kind : kinds_of(site.operation))
                faults.push_back({.site = site, .ordinal = ordinal, .kind = kind});
        }
    }
    return faults;
}

}  // namespace

TEST_CASE("whatever call to the disk fails: a clear answer or an end, and nothing is lost") {
    Day sound({});
    REQUIRE(sound.live() == went_on);
    REQUIRE_MESSAGE(!sound.violation(), *sound.violation());
    const auto counted = sound.point().counted();
    std::map<std::string, std::size_t> outcomes;
    for (const Fault& fault : faults_to_try(counted)) {
        CAPTURE(text_of(fault));
        Day day(fault);
        const std::string came_of_it = day.live();
        if (!day.point().struck()) {
            ++outcomes["not reached"];
            continue;
        }
        ++outcomes[came_of_it];
        if (std::getenv("BOS_FAULTS_TELL")) MESSAGE(text_of(fault), ": ", came_of_it);
        CHECK_MESSAGE(!day.violation(), *day.violation());
        // RocksDB looks every few seconds whether the views' disk has room again.
        const bool waits = fault.site.store == "views" && came_of_it == "views stand still" &&
                           (fault.kind == Kind::no_space || fault.kind == Kind::full_disk);
        CHECK((waits || came_of_it == went_on || came_of_it == stopped || came_of_it == no_start));
    }
    for (const auto& [outcome, count] : outcomes) MESSAGE(outcome, ": ", count);
    if (std::getenv("BOS_FAULT") == nullptr) CHECK(counted.size() > 100);
}

}  // namespace bos::faults
