#include "schemas/base/digest.h"
#include "schemas/base/keys.h"
#include "schemas/base/money.h"
#include "schemas/base/random.h"
#include "schemas/base/tenant.h"
#include "schemas/base/uuid.h"

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <mutex>
#include <set>
#include <thread>

namespace bos::test {

namespace {

using namespace std::string_literals;

/// Bytes that count up, for what asks for randomness.
class Counting final : public Random {
  public:
    void fill(std::span<std::uint8_t> out) override {
        for (std::uint8_t& byte : out) byte = next_++;
    }

  private:
    std::uint8_t next_ = 0;
};

}  // namespace

TEST_CASE("a UUID is read in the form that is written, in either case") {
    struct Row {
        std::string text;
        bool good;
    };
    const Row rows[] = {{"01890a5d-ac96-774b-bcce-b302099a8057", true},
                        {"01890A5D-AC96-774B-BCCE-B302099A8057", true},
                        {"00000000-0000-0000-0000-000000000000", true},
                        {"", false},
                        {"01890a5dac96774bbcceb302099a8057", false},
                        {"{01890a5d-ac96-774b-bcce-b302099a8057}", false},
                        {"urn:uuid:01890a5d-ac96-774b-bcce-b302099a8057", false},
                        {"01890a5d-ac96-774b-bcce-b302099a805", false},
                        {"01890a5d-ac96-774b-bcce-b302099a80577", false},
                        {"01890a5d-ac96-774b-bcce-b302099a805g", false},
                        {"01890a5d-ac96-774bb-cce-b302099a8057", false},
                        {"01890a5d ac96 774b bcce b302099a8057", false}};
    for (const Row& row : rows) {
        INFO(row.text);
        CHECK(parse_uuid(row.text).has_value() == row.good);
    }
    CHECK(to_string(*parse_uuid(rows[1].text)) == rows[0].text);
}

TEST_CASE("a new id is a UUIDv7: it carries its millisecond and sorts by it") {
    Counting random;
    const Uuid id = new_uuid(from_micros(1'645'557'742'000'000), random);
    // The time of RFC 9562 appendix A.6.
    CHECK(to_string(id).starts_with("017f22e2-79b0-7"));
    CHECK((id.bytes[8] & 0xC0) == 0x80);
    CHECK(id < new_uuid(from_micros(1'645'557'742'001'000), random));
}

TEST_CASE("the system's random bytes are given out once, however many are asked for") {
    // Some come from what was made ahead, on each thread; large requests do not.
    std::set<std::string> seen;
    std::mutex mutex;
    const auto take = [&] {
        SystemRandom random;
        for (std::size_t round = 0; round < 200; ++round) {
            for (const std::size_t size : {12U, 16U, 31U, 128U, 129U, 600U}) {
                std::string bytes(size, '\0');
                random.fill({reinterpret_cast<std::uint8_t*>(bytes.data()), size});
                const std::lock_guard lock(mutex);
                for (std::size_t i = 0; i + 8 <= size; i += 8)
                    CHECK(seen.insert(bytes.substr(i, 8)).second);
            }
        }
    };
    std::thread other(take);
    take();
    other.join();
}

TEST_CASE("a tenant's name fits a DNS label") {
    for (const char* good : {"a", "7", "acme", "acme-2",
                             "x23456789012345678901234567890123456789012345678901234567890123"}) {
        INFO(good);
        CHECK(TenantId::parse(good).has_value());
    }
    for (const char* bad : {"", "-acme", "Acme", "acme_2", "a.b", "ä", "a b",
                            "x234567890123456789012345678901234567890123456789012345678901234"}) {
        INFO(bad);
        CHECK(!TenantId::parse(bad).has_value());
    }
}

TEST_CASE("a currency is three upper-case letters") {
    CHECK(parse_currency("EUR")->view() == "EUR");
    for (const char* bad : {"", "EU", "EURO", "eur", "E1R", "€"}) {
        INFO(bad);
        CHECK(!parse_currency(bad).has_value());
    }
}

TEST_CASE("amounts are equal only in the same currency") {
    const Currency eur = *parse_currency("EUR");
    CHECK(Money{100, eur} == Money{100, eur});
    CHECK(Money{100, eur} != Money{100, *parse_currency("USD")});
    CHECK(Money{} == Money{0, *parse_currency("XXX")});
}

TEST_CASE("base64url is the one without padding, and each text has one meaning") {
    struct Row {
        std::string bytes;
        std::string text;
    };
    // RFC 4648 section 10, and bytes that tell the URL alphabet from the other.
    const Row rows[] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff\xfe", "-__-"}};
    for (const Row& row : rows) {
        INFO(row.text);
        CHECK(to_base64url(row.bytes) == row.text);
        std::string bytes;
        CHECK(from_base64url(row.text, bytes));
        CHECK(bytes == row.bytes);
    }
    for (const char* bad : {"Z", "Zg==", "Zg=", "Zh", "Zm9", "+//+", "Zm 9v", "Zm9v\n", "Zm9vY"}) {
        INFO(bad);
        std::string bytes;
        CHECK(!from_base64url(bad, bytes));
    }
    CHECK(rc::check("what was written is read", [](const std::string& bytes) {
        std::string read;
        RC_ASSERT(from_base64url(to_base64url(bytes), read));
        RC_ASSERT(read == bytes);
    }));
}

TEST_CASE("digests are those of the standards") {
    CHECK(to_hex(sha256("abc")) ==
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    // RFC 4231 test case 2.
    CHECK(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    // Test case 1: the key before it, which was shorter, has left nothing behind.
    CHECK(to_hex(hmac_sha256(std::string(20, '\x0b'), "Hi There")) ==
          "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    Sha256 pieces;
    pieces.update("a");
    pieces.update("bc");
    CHECK(pieces.finish() == sha256("abc"));
}

TEST_CASE("keys sort as their parts do") {
    CHECK(rc::check("numbers", [](std::int64_t a, std::int64_t b) {
        RC_ASSERT((KeyWriter().i64(a).bytes() < KeyWriter().i64(b).bytes()) == (a < b));
        RC_ASSERT((KeyWriter().descending_i64(a).bytes() < KeyWriter().descending_i64(b).bytes()) ==
                  (a > b));
    }));
    CHECK(rc::check("texts, then numbers", [](const std::string& a, const std::string& b,
                                              std::uint64_t m, std::uint64_t n) {
        const std::string left = KeyWriter().text(a).u64(m).take();
        const std::string right = KeyWriter().text(b).u64(n).take();
        RC_ASSERT((left < right) == (std::pair(a, m) < std::pair(b, n)));
    }));
    // With zero bytes inside and one text a prefix of the other.
    const std::string texts[] = {"",  "\0"s,  "\0\0"s, "\0\x01"s, "\0\xFF"s,
                                 "a", "a\0"s, "a\0b"s, "ab",      "b"};
    for (std::size_t i = 0; i + 1 < std::size(texts); ++i) {
        INFO(i);
        CHECK(KeyWriter().text(texts[i]).bytes() < KeyWriter().text(texts[i + 1]).bytes());
    }
}

TEST_CASE("keys read back as they were written") {
    CHECK(rc::check("all kinds of parts",
                    [](const std::string& text, std::uint8_t a, std::uint16_t b, std::uint32_t c,
                       std::uint64_t d, std::int64_t e, std::int64_t f) {
                        Uuid id;
                        id.bytes[3] = a;
                        const std::string key = KeyWriter()
                                                    .u8(a)
                                                    .text(text)
                                                    .u16(b)
                                                    .uuid(id)
                                                    .u32(c)
                                                    .u64(d)
                                                    .i64(e)
                                                    .descending_i64(f)
                                                    .take();
                        KeyReader reader(key);
                        std::uint8_t a2 = 0;
                        std::uint16_t b2 = 0;
                        std::uint32_t c2 = 0;
                        std::uint64_t d2 = 0;
                        std::int64_t e2 = 0;
                        std::int64_t f2 = 0;
                        std::string text2;
                        Uuid id2;
                        RC_ASSERT(reader.u8(a2) && reader.text(text2) && reader.u16(b2) &&
                                  reader.uuid(id2) && reader.u32(c2) && reader.u64(d2) &&
                                  reader.i64(e2) && reader.descending_i64(f2) && reader.at_end());
                        RC_ASSERT(std::tie(a, text, b, id, c, d, e, f) ==
                                  std::tie(a2, text2, b2, id2, c2, d2, e2, f2));
                    }));
}

TEST_CASE("bytes that no key has are refused") {
    std::string text;
    for (const std::string& bytes : {""s, "a"s, "a\0"s, "a\0\x02"s, "a\0\xFF"s}) {
        KeyReader reader(bytes);
        CHECK(!reader.text(text));
    }
    std::uint64_t number = 0;
    CHECK(!KeyReader("1234567").u64(number));
    Uuid id;
    CHECK(!KeyReader("123456789012345").uuid(id));
}

TEST_CASE("the key after a prefix comes after all that start with it") {
    CHECK(after_prefix("ab") == "ac");
    CHECK(after_prefix("a\xFF") == "b");
    CHECK(after_prefix("\xFF\xFF").empty());
    CHECK(after_prefix("").empty());
}

}  // namespace bos::test
