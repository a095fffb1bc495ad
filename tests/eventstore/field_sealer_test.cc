#include "eventstore/key_store.h"
#include "eventstore/memory_key_store.h"
#include "schemas/base/digest.h"
#include "tests/eventstore/answers.h"
#include "tests/eventstore/records.h"
#include "tests/eventstore/seeded_random.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace bos::eventstore {

namespace {

using namespace test;

struct Sealing {
    SeededRandom random{7};
    MemoryKeyStore keys{random};
    FieldSealer sealer{keys, random};
    TenantId acme = tenant("acme");

    std::string seal(std::string_view plain) {
        return sealer.seal(acme, stream(1), "email", plain).value();
    }
};

}  // namespace

TEST_CASE("a sealed field opens where it was sealed") {
    CHECK(rc::check([] {
        Sealing sealing;
        const auto plain = *rc::gen::arbitrary<std::string>();
        const std::string sealed = sealing.seal(plain);
        const bool same =
            sealing.sealer.open(sealing.acme, stream(1), "email", sealed).value() == plain;
        RC_ASSERT(same);
    }));
}

TEST_CASE("the same text is sealed differently each time") {
    Sealing sealing;
    CHECK_NE(sealing.seal("ann@example.org"), sealing.seal("ann@example.org"));
}

TEST_CASE("a sealed field does not open anywhere else") {
    Sealing sealing;
    const std::string sealed = sealing.seal("ann@example.org");
    const auto open = [&](const TenantId& where, const StreamId& subject, std::string_view field) {
        return code(sealing.sealer.open(where, subject, field, sealed));
    };
    CHECK_EQ(open(sealing.acme, stream(1), "phone"), Code::corrupt);
    CHECK_EQ(open(sealing.acme, stream(2), "email"), Code::corrupt);
    CHECK_EQ(open(sealing.acme, {.type = 8, .id = uuid(1)}, "email"), Code::corrupt);
    // The tenant's own store does not even have the key.
    CHECK_EQ(open(tenant("other"), stream(1), "email"), Code::not_found);
}

TEST_CASE("an altered or cut sealed field does not open") {
    Sealing sealing;
    const std::string sealed = sealing.seal("ann@example.org");
    for (std::size_t i = 0; i < sealed.size(); ++i) {
        std::string altered = sealed;
        altered[i] = static_cast<char>(altered[i] ^ 1);
        CHECK_FALSE(sealing.sealer.open(sealing.acme, stream(1), "email", altered).has_value());
        CHECK_FALSE(
            sealing.sealer.open(sealing.acme, stream(1), "email", sealed.substr(0, i)).has_value());
    }
}

TEST_CASE("a field whose subject was erased reads as erased") {
    Sealing sealing;
    const std::string sealed = sealing.seal("ann@example.org");
    REQUIRE(sealing.keys.destroy(sealing.acme, stream(1)).has_value());
    CHECK_EQ(code(sealing.sealer.open(sealing.acme, stream(1), "email", sealed)), Code::not_found);
    CHECK_EQ(code(sealing.sealer.seal(sealing.acme, stream(1), "email", "x")), Code::not_found);
}

TEST_CASE("a digest tells equal texts of one field of one tenant, and nothing else") {
    Sealing sealing;
    const auto digest = [&](const TenantId& where, std::string_view field, std::string_view plain) {
        return sealing.sealer.digest(where, field, plain).value();
    };
    const Hash email = digest(sealing.acme, "email", "ann@example.org");
    CHECK_EQ(digest(sealing.acme, "email", "ann@example.org"), email);
    CHECK_NE(digest(sealing.acme, "email", "bob@example.org"), email);
    CHECK_NE(digest(sealing.acme, "login", "ann@example.org"), email);
    CHECK_NE(digest(tenant("other"), "email", "ann@example.org"), email);
    CHECK_NE(digest(sealing.acme, "emaila", "nn@example.org"), email);
}

}  // namespace bos::eventstore
