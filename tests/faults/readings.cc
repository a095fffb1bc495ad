#include "tests/faults/readings.h"

#include "eventstore/sealed_fields.h"
#include "projections/leads/queries.h"
#include "projections/views.h"
#include "schemas/base/json_write.h"
#include "tests/commands/requests.h"
#include "tests/sim/disk_env.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>

namespace bos::faults {

namespace {

using commands::test::acme;
using commands::test::anna;
using projections::QueryContext;
using projections::ViewReader;

/// What a reading may say instead of an answer.
bool is_refusal(const Error& error) {
    return error.code == Code::unavailable || error.code == Code::corrupt ||
           error.code == Code::full;
}

/// The answer as a client gets it; what is not there is an answer, too.
template <class Query>
Result<std::string> told(const Query& query, const QueryContext& context) {
    auto answered = projections::answer(query, context);
    if (!answered && is_refusal(answered.error())) return std::unexpected(answered.error());
    if (!answered) return fmt::format("{}", name_of(answered.error().code));
    if constexpr (requires { answered->next; }) {
        if (answered->next) answered->next = "more";  // cursors are not the same in the past
    }
    return to_json(*answered, ShowPii::plain);
}

struct Question {
    std::string_view name;
    Result<std::string> (*ask)(const QueryContext&);
};

constexpr auto questions = std::to_array<Question>({
    {"leads by a personal field",
     [](const QueryContext& context) {
         leads::ListLeads query;
         query.filter = R"(given_name ne "Person 2")";
         return told(query, context);
     }},
    {"two leads",
     [](const QueryContext& context) {
         leads::ListLeads query;
         query.limit = 2;
         return told(query, context);
     }},
    {"all leads, oldest first",
     [](const QueryContext& context) {
         leads::ListLeads query;
         query.sort = "created_at";
         query.count = true;
         return told(query, context);
     }},
    {"leads by e-mail",
     [](const QueryContext& context) {
         leads::ListLeads query;
         query.email = "person3@example.com";
         return told(query, context);
     }},
    {"archived leads",
     [](const QueryContext& context) {
         leads::ListLeads query;
         query.archived = true;
         return told(query, context);
     }},
    {"board",
     [](const QueryContext& context) {
         leads::GetBoard query;
         query.cards = 0;  // they come with cursors
         return told(query, context);
     }},
    {"funnel", [](const QueryContext& context) { return told(leads::GetFunnel{}, context); }},
    {"pipelines",
     [](const QueryContext& context) { return told(leads::ListPipelines{}, context); }},
    {"activities",
     [](const QueryContext& context) { return told(leads::ListActivities{}, context); }},
});

Result<std::string> answer_of(const Question& question, const ViewReader& reader,
                              std::optional<Position> as_of, const eventstore::EventLog& log,
                              const eventstore::FieldSealer& sealer) {
    static const std::string secret = "of cursors, which nobody compares";
    const Timestamp now = from_micros(1'800'100'000'000'000);  // ages are in answers, too
    return question.ask({.reader = reader,
                         .as_of = as_of,
                         .viewer = {.user = anna, .scope = Scope::all},
                         .sealer = sealer,
                         .log = log,
                         .secret = secret,
                         .now = now});
}

const leads::CaptureLead* capture_of(const sim::Ledger::Asked& asked) {
    return std::get_if<leads::CaptureLead>(&std::get<leads::Command>(asked.request.command));
}

}  // namespace

void Readings::take(Node& node) {
    if (node.ended()) return;
    const auto head = node.log().head(acme);
    if (head && head->position < world_.ledger.told(acme)) {
        world_.ledger.violate(fmt::format("the log ends at {}, acknowledged was {}",
                                          head->position.value, world_.ledger.told(acme).value));
    }
    ask_views(node, std::nullopt);  // before all keys are in memory
    for (const sim::Ledger::Asked& asked : world_.ledger.asked()) {
        if (node.ended()) return;
        if (!asked.done) continue;
        look_at_log(node, asked);
        look_at_lead(node, asked);
    }
    const auto views = node.views().views(acme);
    if (!views) return;
    for (std::uint64_t past = 1; past <= views->applied.value; past += 1 + past / 2)
        ask_views(node, Position{past});
}

void Readings::look_at_log(const Node& node, const sim::Ledger::Asked& asked) {
    const eventstore::EventLog& log = const_cast<Node&>(node).log();
    const std::string& key = asked.request.key;
    const auto found = log.find_key(acme, key);
    answered_ += found.has_value();
    if (found && *found != asked.done->position)
        world_.ledger.violate("key " + key + " is acknowledged and not found");
    const auto record = log.read(acme, asked.done->position);
    if (!record && !is_refusal(record.error()))
        world_.ledger.violate("the record of " + key + " reads as " + record.error().detail);
    if (record) {
        const auto commit = eventstore::decode(*record);
        if (!commit || commit->key != key)
            world_.ledger.violate("the record of " + key + " is another one");
    }
    const auto stream = log.stream(acme, asked.done->target, asked.done->version, 1);
    if (stream && asked.done->changed &&
        (stream->empty() || stream->front().version != asked.done->version))
        world_.ledger.violate("the stream of " + key + " ends before its version");
}

void Readings::look_at_lead(Node& node, const sim::Ledger::Asked& asked) {
    const auto* const captured = capture_of(asked);
    if (captured == nullptr) return;
    const auto reader = node.views().read(acme);
    if (!reader || reader->position() < asked.done->position) return;
    leads::GetLead query{.lead = leads::LeadId(asked.done->target.id)};
    const std::string secret;
    const auto lead = projections::answer(query, {.reader = *reader,
                                                  .as_of = std::nullopt,
                                                  .viewer = {.user = anna, .scope = Scope::all},
                                                  .sealer = node.sealer(),
                                                  .log = node.log(),
                                                  .secret = secret,
                                                  .now = world_.clock.now()});
    if (!lead && is_refusal(lead.error())) return;
    ++answered_;
    const std::string& key = asked.request.key;
    if (!lead) {
        world_.ledger.violate("the lead of " + key + " reads as " + lead.error().detail);
    } else if (lead->profile.emails != captured->profile.emails) {
        world_.ledger.violate("the personal fields of " + key + " are not what was sent");
    }
}

void Readings::ask_views(Node& node, std::optional<Position> as_of) {
    if (node.ended()) return;
    const auto reader = as_of ? node.views().read_as_of(acme, *as_of) : node.views().read(acme);
    if (!reader) return;
    for (const Question& question : questions) {
        const auto answered = answer_of(question, *reader, as_of, node.log(), node.sealer());
        if (!answered || node.ended()) continue;
        ++answered_;
        const Query query{std::string(question.name), reader->position()};
        const auto [seen, is_new] = seen_.emplace(query, *answered);
        if (!is_new && seen->second != *answered) {
            world_.ledger.violate(fmt::format("{} as of {} was\n{}\nand is\n{}", query.first,
                                              query.second.value, seen->second, *answered));
        }
    }
}

Result<void> Readings::compare(Node& node) const {
    sim::Disk disk;
    commands::test::SetClock clock;
    const auto env = sim::disk_env(disk, clock);
    projections::ViewStoreOptions options;
    options.path = "/replay";
    options.env = env.get();
    BOS_TRY(const auto views, projections::ViewStore::open(options));
    projections::Runner runner(*views, projections::ViewSet(projections::Views{}), node.sealer());
    BOS_CHECK(runner.open(acme, node.log()));
    BOS_TRY(const auto replayed, runner.hash(acme));
    BOS_TRY(const auto kept, node.runner().hash(acme));
    for (std::size_t i = 0; i < kept.size(); ++i) {
        if (kept[i] == replayed[i]) continue;
        return fail(Code::corrupt,
                    "view " + std::string(kept[i].view) + " is not what a replay gives");
    }
    for (const auto& [query, text] : seen_) {
        BOS_TRY(const auto reader, views->read_as_of(acme, query.second));
        for (const Question& question : questions) {
            if (question.name != query.first) continue;
            BOS_TRY(const std::string expected,
                    answer_of(question, reader, query.second, node.log(), node.sealer()));
            if (expected == text) continue;
            return fail(Code::corrupt,
                        fmt::format("{} as of {} was answered\n{}\na replay gives\n{}", query.first,
                                    query.second.value, text, expected));
        }
    }
    return {};
}

}  // namespace bos::faults
