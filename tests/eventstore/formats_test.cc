// The worked examples of docs/formats.md: a change here is a change of what is on disks.
#include "eventstore/high_water_mark.h"
#include "eventstore/key_store.h"
#include "eventstore/log_rows.h"
#include "schemas/base/digest.h"
#include "tests/eventstore/records.h"
#include "tests/eventstore/temp_folder.h"

#include <doctest/doctest.h>
#include <rocksdb/env.h>

#include <fstream>

namespace bos::eventstore {

namespace {

using namespace test;

const TenantId acme = tenant("acme");

/// One key for all, as in the example.
class ExampleKeys final : public KeyStore {
  public:
    Result<SubjectKey> key_for(const TenantId&, const StreamId&) override { return key(); }
    Result<void> sync() override { return {}; }
    Result<SubjectKey> find(const TenantId&, const Uuid&) const override { return key(); }
    Result<void> destroy(const TenantId&, const StreamId&) override { return {}; }
    [[nodiscard]] std::uint64_t erasures() const override { return 0; }
    Result<std::string> tenant_secret(const TenantId&) override { return std::string(32, 's'); }

  private:
    static SubjectKey key() {
        SubjectKey key;
        key.id.bytes.fill(0x11);
        key.secret.fill(0x22);
        return key;
    }
};

class ExampleRandom final : public Random {
  public:
    void fill(std::span<std::uint8_t> out) override { std::ranges::fill(out, std::uint8_t{0x33}); }
};

}  // namespace

TEST_CASE("the log's keys are the same in every release") {
    CHECK_EQ(to_hex(log_rows::record_key(7)), "0000000000000007");
    CHECK_EQ(to_hex(log_rows::position_key(acme, Position{1})), "7061636d6500010000000000000001");
    CHECK_EQ(to_hex(log_rows::block_key(acme, Position{1})), "7261636d6500010000000000000000");
    CHECK_EQ(to_hex(log_rows::block_key(acme, Position{64})), "7261636d6500010000000000000001");
    CHECK_EQ(to_hex(log_rows::stream_key(acme, stream(3), Version{1})),
             "7361636d6500010007000000000000000000000000000000030000000000000001");
    CHECK_EQ(to_hex(log_rows::key_key(acme, sha256("k-1"))),
             "6b61636d6500017c35c5a1785d20704e44d5de4beb81c1fce91b6fe48ed7c3159af6f7f832078b");
    CHECK_EQ(to_hex(log_rows::end_key()), "65");
    CHECK_EQ(to_hex(log_rows::origin_key(acme)), "6f61636d650001");
    CHECK_EQ(to_hex(log_rows::origin_value(41)), "0000000000000029");
    CHECK_EQ(to_hex(log_rows::announced_key(acme)), "6261636d650001");
    CHECK_EQ(to_hex(log_rows::announced_value({.position = Position{7}, .offset = 41})),
             "00000000000000070000000000000029");
    CHECK_EQ(to_hex(log_rows::cluster_key()), "63");
}

TEST_CASE("a block of positions is the same in every release and reads back") {
    log_rows::PositionBlock block{
        .first = Position{65}, .sequences = {7, 9, 300}, .hash = sha256("record")};
    const std::string key = log_rows::block_key(acme, block.first);
    // From the second position of the block on, three: 7, + 2, + 291.
    CHECK_EQ(to_hex(log_rows::block_value(block)),
             "01030702a30270ce871f8a3d3fb449bc3c3ace6547cef02dfc74ffe48d912532a724bfdbe5b9");
    const auto read = log_rows::block_row(key, log_rows::block_value(block));
    REQUIRE(read.has_value());
    CHECK_EQ(read->first, block.first);
    CHECK_EQ(read->last(), Position{67});
    CHECK_EQ(read->sequences, block.sequences);
    CHECK_EQ(read->hash, block.hash);
    block.hash.reset();  // another block follows
    CHECK_EQ(to_hex(log_rows::block_value(block)), "01030702a302");
    CHECK_EQ(log_rows::block_row(key, log_rows::block_value(block))->hash, std::nullopt);
    for (const std::string_view damaged :
         {"", "01", "0100", "0103070200", "3f0207020000", "01030702a302ff"}) {
        INFO(damaged);
        CHECK_FALSE(log_rows::block_row(key, from_hex(damaged)).has_value());
    }
}

TEST_CASE("a row of a stream has the events of versions in a row") {
    const std::string key = log_rows::stream_key(acme, stream(3), Version{5});
    const std::string two = log_rows::address_value(Position{1}, 0) +  //
                            log_rows::address_value(Position{2}, 3);
    CHECK_EQ(to_hex(two), "000000000000000100000000000000000000000200000003");
    CHECK_EQ(log_rows::addresses_of(key, two).value(),
             std::vector{EventAddress{Version{5}, Position{1}, 0},
                         EventAddress{Version{6}, Position{2}, 3}});
    CHECK_FALSE(log_rows::addresses_of(key, "").has_value());
    CHECK_FALSE(log_rows::addresses_of(key, two.substr(1)).has_value());
}

TEST_CASE("the mark file is the same in every release") {
    const TempFolder folder;
    const std::string path = folder / "log.mark";
    {
        auto mark = HighWaterMark::create(*rocksdb::Env::Default(), path, Mark{});
        REQUIRE(mark.has_value());
        REQUIRE(mark->advance({.sequence = 7, .hash = sha256("record")}).has_value());
    }
    std::ifstream file(path, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    REQUIRE_EQ(bytes.size(), 4096 + 88);
    CHECK_EQ(to_hex(bytes.substr(0, 88)),
             "424f534d41524b310000000000000002000000000000000770ce871f8a3d3fb449bc3c3ace6547ce"
             "f02dfc74ffe48d912532a724bfdbe5b9c785b1d8251a5664dabe274df542958b26e9f97582542db1"
             "0376ff1693b63f7c");
    CHECK_EQ(to_hex(bytes.substr(4096, 88)),
             "424f534d41524b310000000000000001000000000000000000000000000000000000000000000000"
             "000000000000000000000000000000000df2d14d518c6b365f34eab3ab612a30c40d8e7187f3485a"
             "8d94e2ece6f85dad");
}

TEST_CASE("a sealed field and a digest are the same in every release") {
    ExampleKeys keys;
    ExampleRandom random;
    FieldSealer sealer(keys, random);
    CHECK_EQ(to_hex(sealer.seal(acme, stream(3), "email", "ann@example.org").value()),
             "011111111111111111111111111111111133333333333333333333333317ada8aa105417057881fe"
             "5e7aa36a4319863ab62d4f1c782a9f50e9aac1d9");
    CHECK_EQ(to_hex(sealer.digest(acme, "email", "ann@example.org").value()),
             "ae47a0111d46fd6e5e720280bcd50eb33101646128e135c7090cfdc8b6afea08");
}

}  // namespace bos::eventstore
