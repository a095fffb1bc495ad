#include "bench/figure.h"
#include "bench/lead_node.h"
#include "bench/must.h"
#include "bench/temp_folder.h"
#include "bench/workloads.h"
#include "gateway/queries.h"
#include "projections/query.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

// What the past costs: reads as of a position beside live ones, and live reads of rows that have a
// past beside those that have none. In process: over HTTP both sides would look alike.

namespace bos::bench {

namespace {

constexpr std::uint64_t versions = 10;
constexpr std::uint64_t past_version = 5;
constexpr std::uint32_t rows_of_list = 50;

// What there is to reach.
constexpr double point_bar = 2.0;
constexpr double list_bar = 3.0;
constexpr double one_version_bar = 1.1;

/// A folder with leads, and where its log was when each of them had some versions.
struct History {
    std::vector<leads::LeadId> leads;
    Position past;
};

/// Brings every lead from one version to another: some leads at a time, as many as a shard keeps in
/// memory, since each would be read again for each version else.
void change(LeadNode& node, const std::vector<leads::LeadId>& leads, std::uint64_t after,
            std::uint64_t last) {
    constexpr std::size_t at_once = 4096;
    for (std::size_t begin = 0; begin < leads.size(); begin += at_once) {
        const auto some = leads.begin() + static_cast<std::ptrdiff_t>(begin);
        const std::vector<leads::LeadId> part(
            some, some + static_cast<std::ptrdiff_t>(std::min(at_once, leads.size() - begin)));
        for (std::uint64_t version = after + 1; version <= last; ++version) {
            // Each time other numbers: the same would change nothing.
            node.each(part, version % 2 == 0 ? &LeadRequests::score : &LeadRequests::change,
                      version * 7);
        }
    }
}

History write_history(const std::filesystem::path& data, std::size_t count,
                      std::uint64_t versions_of_each) {
    LeadNode node(data);
    History history{.leads = node.capture(count), .past = {}};
    const std::uint64_t then = std::min(past_version, versions_of_each);
    change(node, history.leads, 1, then);
    history.past = must(node.node().log().head(bench_tenant())).position;
    change(node, history.leads, then, versions_of_each);
    return history;
}

/// Asks for leads of one folder, from the caller's thread.
class Reader {
  public:
    Reader(const std::filesystem::path& data, std::size_t count, std::uint64_t versions_of_each)
        : history_(write_history(data, count, versions_of_each)),
          leads_(data),
          secret_(must(leads_.node().keys().tenant_secret(bench_tenant()))) {
        check(past(), std::min(past_version, versions_of_each));
        check(std::nullopt, versions_of_each);
    }

    [[nodiscard]] std::optional<Position> past() const { return history_.past; }

    /// All over the data: neighbours in time are not neighbours in the store.
    [[nodiscard]] Measured points(std::optional<Position> as_of, double seconds) {
        return repeated(seconds, [&](std::uint64_t number) {
            const std::size_t which = number * 7919 % history_.leads.size();
            static_cast<void>(ask(leads::GetLead{.lead = history_.leads[which]}, as_of));
        });
    }
    [[nodiscard]] Measured newest(std::optional<Position> as_of, double seconds) {
        return lists("-created_at", as_of, seconds);
    }
    [[nodiscard]] Measured last_changed(std::optional<Position> as_of, double seconds) {
        return lists("-updated_at", as_of, seconds);
    }
    [[nodiscard]] Measured longest_unchanged(std::optional<Position> as_of, double seconds) {
        return lists("updated_at", as_of, seconds);
    }

  private:
    [[nodiscard]] Measured lists(std::string_view sort, std::optional<Position> as_of,
                                 double seconds) {
        return repeated(seconds, [&](std::uint64_t) {
            leads::ListLeads query;
            query.sort = sort;
            query.limit = rows_of_list;
            if (ask(query, as_of).items.size() != rows_of_list)
                throw std::runtime_error("a list is shorter than asked for");
        });
    }
    /// A lead was changed as often as it should, then and now.
    void check(std::optional<Position> as_of, std::uint64_t version) {
        if (ask(leads::GetLead{.lead = history_.leads.front()}, as_of).version != version)
            throw std::runtime_error("a lead has another past than it was given");
    }

    template <class Query>
    typename Query::Answer ask(const Query& query, std::optional<Position> as_of) {
        gateway::Node& node = leads_.node();
        const projections::ViewReader reader =
            must(as_of ? node.views().read_as_of(bench_tenant(), *as_of)
                       : node.views().read(bench_tenant()));
        return must(
            answer(query, projections::QueryContext{.reader = reader,
                                                    .as_of = as_of,
                                                    .viewer = {.user = {}, .scope = Scope::all},
                                                    .sealer = node.sealer(),
                                                    .log = node.log(),
                                                    .secret = secret_,
                                                    .now = node.clock().now()}));
    }

    template <class Work>
    Measured repeated(double seconds, const Work& work) {
        Measured measured;
        const auto start = SteadyClock::now();
        for (auto before = start; measured.seconds < seconds;) {
            work(number_++);
            const auto after = SteadyClock::now();
            measured.latencies_ns.push_back(nanoseconds_since(before, after));
            measured.seconds = std::chrono::duration<double>(after - start).count();
            ++measured.count;
            before = after;
        }
        return measured;
    }

    const History history_;
    LeadNode leads_;  ///< opened anew: what was written is in files, as on a server that rests
    const std::string secret_;
    std::uint64_t number_ = 0;
};

}  // namespace

void reads_past(const Options& options, boost::json::array& figures) {
    const TempFolder folder(options.folder);
    const std::size_t count = options.quick ? options.leads / 5 : options.leads;
    Reader deep(folder.path() / "deep", count, versions);
    Reader flat(folder.path() / "flat", count, 1);
    using Read = Measured (Reader::*)(std::optional<Position>, double);
    const auto measure = [&](const std::string& name, const std::string& what, Read read,
                             double past_bar) {
        const Work work{
            .name = name,
            .unit = "reads",
            .what = fmt::format(
                "{} of {} leads with {} versions each, in process, from one thread; as_of is when "
                "each had {}; one_version: of as many leads with one version each",
                what, count, versions, past_version),
            .sync = "nothing is written"};
        const std::vector<Side> sides{
            {"live", [&](double seconds) { return (deep.*read)(std::nullopt, seconds); }},
            {"as_of", [&](double seconds) { return (deep.*read)(deep.past(), seconds); }},
            {"one_version", [&](double seconds) { return (flat.*read)(std::nullopt, seconds); }}};
        boost::json::object figure = compare(options, work, sides);
        figure["bar"] = {{"live_over_as_of", past_bar}, {"one_version_over_live", one_version_bar}};
        figures.push_back(std::move(figure));
    };
    measure("past_point_read", "one lead", &Reader::points, point_bar);
    measure("past_list_read", "the newest 50", &Reader::newest, list_bar);
    measure("past_list_by_change", "the 50 that were changed last", &Reader::last_changed,
            list_bar);
    measure("past_list_unchanged", "the 50 that were not changed for longest",
            &Reader::longest_unchanged, list_bar);
}

}  // namespace bos::bench
