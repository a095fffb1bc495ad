#include "schemas/base/codec.h"

#include "schemas/base/arbitrary.h"
#include "schemas/base/validate.h"
#include "schemas/leads.gen.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

namespace bos::test {

namespace {

template <class Property>
void for_every_table(const std::string& sentence, Property property) {
    for_each_type(leads::Tables{}, [&]<class T>() {
        INFO(T::type_name);
        CHECK(rc::check(std::string(T::type_name) + " " + sentence,
                        [&](std::uint64_t seed) { property.template operator()<T>(seed); }));
    });
}

/// What a broken disk, a wrong version or an attacker makes of bytes.
std::string damaged(std::string bytes, Draws& draws) {
    const std::uint64_t blows = 1 + draws.below(6);
    for (std::uint64_t i = 0; i < blows && !bytes.empty(); ++i) {
        const std::size_t at = draws.below(bytes.size());
        const std::uint64_t kind = draws.below(5);
        if (kind == 0) bytes.resize(at);
        if (kind == 1) bytes[at] = static_cast<char>(draws.next());
        if (kind == 2) bytes[at] = static_cast<char>(bytes[at] ^ (1 << draws.below(8)));
        if (kind == 3) bytes[at] = static_cast<char>(draws.one_in(2) ? 0xFF : 0);
        if (kind == 4) bytes.insert(at, 1, static_cast<char>(draws.next()));
    }
    return bytes;
}

}  // namespace

TEST_CASE("every message survives its bytes, and equal messages give equal bytes") {
    for_every_table("decodes to what was encoded", []<class T>(std::uint64_t seed) {
        const T message = arbitrary_of<T>(seed, PiiStates::any);
        const std::string bytes = encode(message);
        const auto decoded = decode<T>(bytes);
        RC_ASSERT(decoded.has_value());
        RC_ASSERT((*decoded == message));
        RC_ASSERT(encode(*decoded) == bytes);
    });
}

TEST_CASE("drawn messages obey the rules of their fields") {
    for_every_table("is valid", []<class T>(std::uint64_t seed) {
        std::vector<FieldError> errors;
        validate(arbitrary_of<T>(seed), "", errors);
        RC_ASSERT(errors.empty());
    });
}

TEST_CASE("damaged bytes are refused or read as some message, never more") {
    for_every_table("reads damaged bytes safely", []<class T>(std::uint64_t seed) {
        Draws draws(seed);
        const std::string bytes = damaged(encode(arbitrary<T>(draws, PiiStates::any)), draws);
        const auto decoded = decode<T>(bytes);
        if (!decoded) {
            RC_ASSERT(decoded.error().code == Code::corrupt);
            return;
        }
        const auto again = decode<T>(encode(*decoded));
        RC_ASSERT(again.has_value());
        RC_ASSERT((*again == *decoded));
    });
}

TEST_CASE("bytes that are no message at all are refused") {
    using leads::LeadTagged;
    CHECK(!decode<LeadTagged>("").has_value());
    CHECK(!decode<LeadTagged>("bos").has_value());
    CHECK(!decode<LeadTagged>(std::string(64, '\0')).has_value());
    CHECK(!decode<LeadTagged>(std::string(64, '\xFF')).has_value());
    const std::string whole = encode(arbitrary_of<LeadTagged>(1));
    for (std::size_t size = 0; size < whole.size(); ++size) {
        INFO("cut to ", size, " of ", whole.size());
        static_cast<void>(decode<LeadTagged>(whole.substr(0, size)));
    }
}

TEST_CASE("a required field that is missing is corruption, not an empty value") {
    // The tag of a LeadTagged is required; a LeadScored has none in its slot.
    const auto decoded = decode<leads::LeadTagged>(encode(leads::CollaboratorAdded{}));
    CHECK(!decoded.has_value());
}

TEST_CASE("an event is decoded by its number") {
    const leads::LeadTagged tagged = arbitrary_of<leads::LeadTagged>(7);
    const auto decoded = decode_numbered<leads::Event>(leads::LeadTagged::number, encode(tagged));
    REQUIRE(decoded.has_value());
    CHECK((*decoded == leads::Event(tagged)));
    CHECK(decode_numbered<leads::Event>(9999, encode(tagged)).error().code == Code::not_found);
    CHECK(decode_numbered<leads::Event>(leads::LeadTagged::number, "bytes").error().code ==
          Code::corrupt);
}

}  // namespace bos::test
