#include "eventstore/commit.h"

#include "schemas/base/digest.h"
#include "tests/eventstore/records.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace bos::eventstore {

namespace {

using test::tenant;
using test::uuid;

/// The worked example of docs/formats.md.
Commit example() {
    return Commit{.tenant = tenant("acme"),
                  .position = Position{1},
                  .previous_hash = {},
                  .recorded_at = from_micros(1'700'000'000'000'000),
                  .command = "leads.capture-lead",
                  .key = "k-1",
                  .fingerprint = sha256("request"),
                  .actor = {.kind = ActorKind::user, .id = UserId(uuid(1))},
                  .on_behalf_of = std::nullopt,
                  .correlation = uuid(2),
                  .causation = {},
                  .depth = 0,
                  .grant = "leads:lead:write@all",
                  .target = uuid(3),
                  .target_version = {},
                  .events = {{.type = "leads.lead-captured.v1",
                              .number = 1,
                              .schema_version = 1,
                              .stream = {.type = 7, .id = uuid(3)},
                              .version = Version{1},
                              .payload = "abc"}}};
}

constexpr std::string_view example_hex =
    "2c000000424f534300002200900004007c000800840028002c003000500000005400000000006400"
    "68006c0022000000e400000000000000000000000000000000000000000000000000000000000000"
    "00000000a80000009c0000001f58b9145b24d108d7ac38887338b3ea3229833b9c1e418250343f90"
    "7bfd10474800000000000000000000000000000000000002480000008c0000000000000000000000"
    "0000000000000003010000000000000000401e18240a060000000000080014000000040008000000"
    "00000000000000000000000000000001140000006c656164733a6c6561643a777269746540616c6c"
    "00000000030000006b2d3100120000006c656164732e636170747572652d6c656164000004000000"
    "61636d650000000001000000180000000000120030000c00060008000a0010002400200012000000"
    "00000100010007002c00000000000000000000000000000000000003100000000100000000000000"
    "000000000300000061626300160000006c656164732e6c6561642d63617074757265642e76310000";

template <std::size_t N>
std::array<std::uint8_t, N> any_bytes() {
    return *rc::gen::container<std::array<std::uint8_t, N>>(rc::gen::arbitrary<std::uint8_t>());
}

Uuid any_uuid() { return Uuid{any_bytes<16>()}; }
Hash any_hash() { return Hash{any_bytes<32>()}; }
std::string any_text() { return *rc::gen::arbitrary<std::string>(); }
std::string some_text() { return *rc::gen::nonEmpty<std::string>(); }

Actor any_actor() {
    return {.kind = static_cast<ActorKind>(*rc::gen::inRange(0, 4)), .id = UserId(any_uuid())};
}

RecordedEvent any_event() {
    return {.type = any_text(),
            .number = *rc::gen::arbitrary<std::uint16_t>(),
            .schema_version = *rc::gen::arbitrary<std::uint16_t>(),
            .stream = {.type = *rc::gen::arbitrary<std::uint16_t>(), .id = any_uuid()},
            .version = Version{*rc::gen::arbitrary<std::uint64_t>()},
            .payload = any_text()};
}

Commit any_commit() {
    Commit commit{.tenant = tenant(*rc::gen::element<std::string>("a", "acme", "9-lives")),
                  .position = Position{*rc::gen::positive<std::uint64_t>()},
                  .previous_hash = any_hash(),
                  .recorded_at = from_micros(*rc::gen::arbitrary<std::int64_t>()),
                  .command = some_text(),
                  .key = some_text(),
                  .fingerprint = any_hash(),
                  .actor = any_actor(),
                  .on_behalf_of = std::nullopt,
                  .correlation = any_uuid(),
                  .causation = Position{*rc::gen::arbitrary<std::uint64_t>()},
                  .depth = *rc::gen::arbitrary<std::uint8_t>(),
                  .grant = any_text(),
                  .target = any_uuid(),
                  .target_version = Version{*rc::gen::arbitrary<std::uint64_t>()},
                  .events = {}};
    if (*rc::gen::arbitrary<bool>()) commit.on_behalf_of = any_actor();
    for (int i = *rc::gen::inRange(0, 5); i > 0; --i) commit.events.push_back(any_event());
    return commit;
}

std::string with_bytes_at(std::string record, std::size_t at, std::string_view bytes) {
    return record.replace(at, bytes.size(), bytes);
}

}  // namespace

TEST_CASE("a commit's bytes are the same in every release") {
    CHECK_EQ(to_hex(encode(example())), example_hex);
    CHECK_EQ(decode(encode(example())), example());
}

TEST_CASE("decode gives back what encode was given") {
    CHECK(rc::check([] {
        const Commit commit = any_commit();
        const bool same = decode(encode(commit)).value() == commit;
        RC_ASSERT(same);
    }));
}

TEST_CASE("decode reads a record at any alignment") {
    const std::string record = encode(example());
    for (std::size_t shift = 0; shift < 8; ++shift) {
        const std::string shifted = std::string(shift, 'x') + record;
        CHECK_EQ(decode(std::string_view(shifted).substr(shift)), example());
    }
}

TEST_CASE("decode survives any change of bytes") {
    CHECK(rc::check([] {
        std::string record = encode(any_commit());
        for (int i = *rc::gen::inRange(1, 8); i > 0; --i) {
            record[*rc::gen::inRange<std::size_t>(0, record.size())] = *rc::gen::arbitrary<char>();
        }
        record.resize(*rc::gen::element(record.size(), record.size() / 2, record.size() - 1));
        const Result<Commit> commit = decode(record);
        const bool refused = !commit && commit.error().code == Code::corrupt;
        RC_ASSERT((commit.has_value() || refused));
    }));
}

TEST_CASE("decode refuses every prefix of a record") {
    const std::string record = encode(example());
    for (std::size_t size = 0; size < record.size(); ++size) {
        const auto prefix = std::make_unique<char[]>(size);  // so that a sanitizer sees its end
        std::memcpy(prefix.get(), record.data(), size);
        const Result<Commit> commit = decode({prefix.get(), size});
        if (commit) CHECK_GE(size + 8, record.size());  // only padding was cut
    }
}

TEST_CASE("decode refuses what breaks the record's rules") {
    const auto refused = [](auto change) {
        Commit commit = example();
        change(commit);
        const Result<Commit> decoded = decode(encode(commit));
        return !decoded && decoded.error().code == Code::corrupt;
    };
    CHECK(refused([](Commit& commit) { commit.key.clear(); }));
    CHECK(refused([](Commit& commit) { commit.command.clear(); }));
    CHECK(refused([](Commit& commit) { commit.position = Position{0}; }));
    CHECK(refused([](Commit& commit) { commit.actor.kind = static_cast<ActorKind>(4); }));
    CHECK(refused([](Commit& commit) {
        commit.events.resize(std::size_t{events_max} + 1, commit.events.front());
    }));

    const std::string record = encode(example());
    CHECK_FALSE(decode(with_bytes_at(record, record.find("acme"), "Acme")));
    CHECK_FALSE(decode(with_bytes_at(record, record.find("BOSC"), "BOSD")));
    CHECK_FALSE(decode("BOSC"));
    CHECK_FALSE(decode(""));
}

TEST_CASE("a record whose parts overlap does not unfold") {
    // Two events whose offsets point at the same table: sound to FlatBuffers, but more than was
    // stored.
    Commit commit = example();
    commit.events.front().payload = std::string(4096, 'p');
    commit.events.push_back(commit.events.front());
    commit.events.back().payload = "q";
    std::string record = encode(commit);
    REQUIRE(decode(record).has_value());

    bool unfolded = false;
    for (std::size_t at = 0; at + 12 <= record.size(); at += 4) {
        std::uint32_t words[3];
        std::memcpy(words, record.data() + at, sizeof words);
        if (words[0] != 2) continue;  // the length of the vector of events
        // Offsets count from where they stand: one word later, the same table is four bytes nearer.
        std::string forged = record;
        const std::uint32_t second = words[1] - 4;
        std::memcpy(forged.data() + at + 8, &second, sizeof second);
        unfolded = unfolded || decode(forged).has_value();
    }
    CHECK_FALSE(unfolded);
}

TEST_CASE("a link is read without the events") {
    const std::string record = encode(example());
    const Result<Link> link = link_of(record);
    REQUIRE(link.has_value());
    CHECK_EQ(link->tenant, tenant("acme"));
    CHECK_EQ(link->position, Position{1});
    CHECK_EQ(link->previous_hash, Hash{});
    CHECK_EQ(link->recorded_at, example().recorded_at);
    CHECK_EQ(hash_of(record), sha256(record));
}

}  // namespace bos::eventstore
