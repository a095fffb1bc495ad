#include "tests/schemas/flatc.h"

#include "schemas/base/arbitrary.h"
#include "schemas/base/codec.h"
#include "schemas/leads.gen.h"
#include "tests/schemas/files.h"

#include <boost/json.hpp>
#include <doctest/doctest.h>
#include <fmt/format.h>

// The bytes are FlatBuffers as flatc knows them, not a dialect of ours: it reads what we write, and
// we read what it writes. Analysts who consume the topics have nothing but the schema.

namespace bos::test {

namespace {

template <class T>
bool stands(const T&) {
    return true;
}
template <class T>
bool stands(const std::optional<T>& value) {
    return value.has_value();
}
template <class T>
bool stands(const std::vector<T>& items) {
    return !items.empty();
}
template <class T>
bool stands(const Patch<T>& patch) {
    return patch.value() != nullptr;
}

/// flatc shows exactly the fields that the message has, under their names, and texts as they are.
template <class T>
void must_show(const boost::json::object& shown, const T& message) {
    for_each_field<T>([&]<class F>(const F& field) {
        INFO(field.name);
        const auto& value = message.*field.member;
        const auto* found = shown.if_contains({field.name.data(), field.name.size()});
        if (stands(value) || field.rules.required) REQUIRE(found != nullptr);
        if (found == nullptr) return;
        if constexpr (std::is_same_v<typename F::value_type, std::string>)
            CHECK(found->as_string() == value);
        if constexpr (std::is_same_v<typename F::value_type, Timestamp>) {
            CHECK(found->template to_number<std::int64_t>() == micros(value));
        }
        if constexpr (NamedEnum<typename F::value_type>)
            CHECK(found->as_string() == name_of(value));
        if constexpr (Reflected<typename F::value_type>) must_show(found->as_object(), value);
    });
    std::size_t known = 0;
    for (const auto& member : shown) {
        for_each_field<T>(
            [&](const auto& field) { known += field.name == member.key() ? 1U : 0U; });
        if (member.key() == "cleared") ++known;
    }
    CHECK(known == shown.size());
}

}  // namespace

TEST_CASE("flatc reads our bytes, and we read flatc's bytes") {
    static constexpr std::uint64_t seeds = 3;
    const std::string schema = (source_folder() / "schemas/leads.fbs").string();
    for_each_type(leads::Events{}, [&]<class E>() {
        INFO(E::type_name);
        const TemporaryFolder folder;
        const auto file = [&](std::uint64_t seed, std::string_view kind) {
            return (folder.path() / fmt::format("{}.{}", seed, kind)).string();
        };
        std::string binaries;
        std::string texts;
        for (std::uint64_t seed = 0; seed < seeds; ++seed) {
            write_file(file(seed, "bin"), encode(arbitrary_of<E>(seed, PiiStates::any)));
            binaries += " " + file(seed, "bin");
            texts += " " + file(seed, "json");
        }
        const std::string common =
            fmt::format("--root-type bos.leads.{} -o {}", E::type_name, folder.path().string());
        const Ran read =
            run_flatc(fmt::format("--json --raw-binary --strict-json --defaults-json {} {} --{}",
                                  common, schema, binaries));
        REQUIRE_MESSAGE(read.status == 0, read.output);
        for (std::uint64_t seed = 0; seed < seeds; ++seed) {
            must_show(boost::json::parse(read_file(file(seed, "json"))).as_object(),
                      arbitrary_of<E>(seed, PiiStates::any));
        }
        const Ran written = run_flatc(fmt::format("-b {} {} {}", common, schema, texts));
        REQUIRE_MESSAGE(written.status == 0, written.output);
        for (std::uint64_t seed = 0; seed < seeds; ++seed) {
            const auto decoded = decode<E>(read_file(file(seed, "bin")));
            REQUIRE(decoded.has_value());
            CHECK((*decoded == arbitrary_of<E>(seed, PiiStates::any)));
        }
    });
}

}  // namespace bos::test
