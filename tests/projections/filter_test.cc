#include "projections/filter.h"

#include <doctest/doctest.h>

namespace bos::projections {
namespace {

enum class Color : std::uint8_t { red, green };
std::span<const std::string_view> enum_names(Color) {
    static constexpr std::string_view names[] = {"red", "green"};
    return names;
}

struct Place {
    std::optional<std::string> city;
    std::int32_t floor = 0;
    static constexpr auto fields() {
        return std::make_tuple(
            Field<Place, std::optional<std::string>>{"city", &Place::city, 0, {}, ""},
            Field<Place, std::int32_t>{"floor", &Place::floor, 1, {}, ""});
    }
};

/// One field of every kind.
struct Thing {
    Uuid id;
    std::optional<UserId> owner;
    std::string title;
    std::uint64_t big = 0;
    std::int32_t score = 0;
    std::optional<std::int32_t> rating;
    bool hot = false;
    Color color = Color::red;
    Timestamp made_at;
    std::optional<Money> value;
    std::vector<std::string> tags;
    std::vector<UserId> helpers;
    std::optional<Pii<std::string>> email;
    Pii<std::vector<std::string>> phones;
    Place place;
    std::vector<Place> places;

    template <class T>
    using F = Field<Thing, T>;
    static constexpr auto fields() {
        return std::make_tuple(
            F<Uuid>{"id", &Thing::id, 0, {}, ""},
            F<std::optional<UserId>>{"owner", &Thing::owner, 1, {}, ""},
            F<std::string>{"title", &Thing::title, 2, {}, ""},
            F<std::uint64_t>{"big", &Thing::big, 3, {}, ""},
            F<std::int32_t>{"score", &Thing::score, 4, {}, ""},
            F<std::optional<std::int32_t>>{"rating", &Thing::rating, 5, {}, ""},
            F<bool>{"hot", &Thing::hot, 6, {}, ""}, F<Color>{"color", &Thing::color, 7, {}, ""},
            F<Timestamp>{"made_at", &Thing::made_at, 8, {}, ""},
            F<std::optional<Money>>{"value", &Thing::value, 9, {}, ""},
            F<std::vector<std::string>>{"tags", &Thing::tags, 10, {}, ""},
            F<std::vector<UserId>>{"helpers", &Thing::helpers, 11, {}, ""},
            F<std::optional<Pii<std::string>>>{"email", &Thing::email, 12, {}, ""},
            F<Pii<std::vector<std::string>>>{"phones", &Thing::phones, 13, {}, ""},
            F<Place>{"place", &Thing::place, 14, Rules{.flat = true}, ""},
            F<std::vector<Place>>{"places", &Thing::places, 15, {}, ""});
    }
};

Uuid uuid(std::string_view text) { return *parse_uuid(text); }
const UserId viewer(uuid("00000000-0000-7000-8000-00000000000a"));
const UserId somebody(uuid("00000000-0000-7000-8000-00000000000b"));
// A Wednesday.
const Timestamp now = *parse_timestamp("2026-02-04T12:00:00Z");

Thing thing() {
    Thing thing;
    thing.id = uuid("00000000-0000-7000-8000-000000000001");
    thing.owner = viewer;
    thing.title = "Gro\xC3\x9F and \"SMALL\"";
    thing.big = std::numeric_limits<std::uint64_t>::max();
    thing.score = -5;
    thing.hot = true;
    thing.color = Color::green;
    thing.made_at = *parse_timestamp("2026-02-01T23:30:00Z");  // a Sunday; Monday in Berlin
    thing.value = Money{.minor = 100'000, .currency = *parse_currency("EUR")};
    thing.tags = {"vip", "new"};
    thing.helpers = {somebody};
    thing.email = Pii<std::string>(Sealed{"sealed e-mail"});
    thing.phones = Pii<std::vector<std::string>>(std::vector<std::string>{"+491", "+492"});
    thing.place.city = "Bonn";
    thing.place.floor = 3;
    return thing;
}

class KnownPlain final : public OpenPersonal {
  public:
    std::optional<std::string> open(std::string_view field,
                                    const Pii<std::string>&) const override {
        return field == "email" ? std::optional<std::string>("ada@example.org") : std::nullopt;
    }
    std::optional<std::vector<std::string>> open(
        std::string_view, const Pii<std::vector<std::string>>&) const override {
        return std::nullopt;
    }
};

struct Case {
    std::string_view filter;
    bool matches;
};

void check_cases(std::span<const Case> cases, const Thing& row,
                 const OpenPersonal* open = nullptr) {
    for (const Case& c : cases) {
        INFO(c.filter);
        const auto filter = RowFilter<Thing>::parse(c.filter, {now, viewer});
        REQUIRE_MESSAGE(filter.has_value(), (filter ? "" : filter.error().detail));
        CHECK(filter->matches(row, open) == c.matches);
    }
}

TEST_CASE("each kind of value is tested as its type asks") {
    static constexpr Case cases[] = {
        {"", true},
        // text
        {R"(title eq "Groß and \"SMALL\"")", true},
        {R"(title eq "groß and \"SMALL\"")", false},
        {R"(title ne "x")", true},
        {R"(title contains "small")", true},
        {R"(title contains "medium")", false},
        {R"(title contains "")", true},
        {R"(title starts "GRO")", true},
        {R"(title starts "rO")", false},
        {R"(title ends "small\"")", true},
        {R"(title ends "a much longer text than the title is")", false},
        {R"(title lt "H" and title gt "G")", true},
        {R"(title ge "H")", false},
        {R"(title between "Gro" and "Gz")", true},
        {R"(title in ("a", "b"))", false},
        {R"(title nin ("a", "b"))", true},
        {"title is_null", false},
        // numbers
        {"score eq -5", true},
        {"score ne -5", false},
        {"score lt -5", false},
        {"score le -5", true},
        {"score gt -6", true},
        {"score ge -4", false},
        {"score between -5 and 0", true},
        {"score between 0 and -5", false},
        {"score in (1, -5)", true},
        {"score nin (1, -5)", false},
        {"score lt -9223372036854775808", false},
        {"score gt 9223372036854775807", false},
        {"big eq 9223372036854775807", true},
        // absent
        {"rating is_null", true},
        {"rating eq 1", false},
        {"rating ne 1", true},
        {"rating nin (1)", true},
        {"rating lt 1", false},
        {"not rating lt 1", true},
        // bool, enum, id
        {"hot eq true", true},
        {"hot ne true", false},
        {R"(color eq "green")", true},
        {R"(color in ("red"))", false},
        {R"(id eq "00000000-0000-7000-8000-000000000001")", true},
        {"owner eq me", true},
        {"owner ne me", false},
        {R"(owner in (me, "00000000-0000-7000-8000-00000000000b"))", true},
        // money
        {"value.minor ge 100000", true},
        {"value.minor gt 100000", false},
        {R"(value.currency eq "EUR")", true},
        {"value is_null", false},
        {"value.minor is_null", false},
        // lists
        {R"(tags has_tag "vip")", true},
        {R"(tags has_tag "VIP")", false},
        {R"(tags eq "new")", true},
        {R"(tags ne "new")", false},
        {R"(tags nin ("old", "cold"))", true},
        {R"(tags contains "EW")", true},
        {"tags is_null", false},
        {"helpers eq me", false},
        // times
        {R"(made_at eq "2026-02-02T00:30:00+01:00")", true},
        {R"(made_at lt "2026-02-01T23:30:00.000001Z")", true},
        {"made_at within last 3d", true},
        {"made_at within last 60h", false},
        {"made_at within last 61h", true},
        {"made_at within last 1w", true},
        {"made_at within last 10m", false},
        {"made_at within today", false},
        {"made_at within this_week", false},
        {"made_at within this_week@+01:00", true},
        {"made_at within this_week@-05:00", false},
        {"made_at within this_month@Z", true},
        {"made_at within this_month@+14:00", true},
        // through a flat table
        {R"(city eq "Bonn" and floor eq 3)", true},
        // precedence and nesting
        {"score eq 1 and score eq 1 or score eq -5", true},
        {"score eq 1 and (score eq 1 or score eq -5)", false},
        {"not score eq 1 and score eq -5", true},
        {"not (score eq 1 or score eq -5)", false},
        {"not not score eq -5", true},
    };
    check_cases(cases, thing());
}

TEST_CASE("the edges of a day and a month belong to the day and the month that they begin") {
    Thing row = thing();
    row.made_at = *parse_timestamp("2026-02-04T00:00:00Z");
    static constexpr Case at_midnight[] = {{"made_at within today", true},
                                           {"made_at within today@-00:30", false}};
    check_cases(at_midnight, row);
    row.made_at = *parse_timestamp("2026-03-01T00:00:00Z");
    static constexpr Case at_end[] = {{"made_at within this_month", false},
                                      {"made_at within this_month@-01:00", true}};
    check_cases(at_end, row);
}

TEST_CASE("personal data is compared after opening, and passes nothing once it is erased") {
    static constexpr Case opened[] = {
        {R"(email eq "ada@example.org")", true},
        {R"(email eq "Ada@example.org")", false},
        {R"(email ne "bob@example.org")", true},
        {R"(email in ("ada@example.org"))", true},
        {"email is_null", false},
        {R"(phones eq "+492")", true},
        {R"(phones ne "+493")", true},
    };
    const KnownPlain open;
    check_cases(opened, thing(), &open);

    static constexpr Case hidden[] = {
        {R"(email eq "ada@example.org")", false},
        {R"(email ne "ada@example.org")", false},
        {R"(email nin ("bob"))", false},
        {"email is_null", false},
    };
    Thing erased = thing();
    erased.email = Pii<std::string>(Erased{});
    check_cases(hidden, erased, &open);
    check_cases(hidden, thing(), nullptr);

    Thing none = thing();
    none.email.reset();
    static constexpr Case absent[] = {{"email is_null", true}, {R"(email ne "bob")", true}};
    check_cases(absent, none, &open);
}

struct Refused {
    std::string filter;
    std::string_view detail;
};

TEST_CASE("what cannot be read or asked is refused with its column") {
    const std::string in_parentheses = std::string(33, '(') + "hot eq true" + std::string(33, ')');
    std::string many = "hot eq true";
    for (int i = 0; i < 64; ++i) many += " or hot eq true";
    std::string values = "score in (0";
    for (int i = 0; i < 256; ++i) values += ",1";
    const Refused cases[] = {
        {" ", "column 2: expected a field, not, or (, found the end"},
        {"score", "column 6: expected one of eq, ne, lt"},
        {"score 5", "column 7: expected one of eq"},
        {"score eq", "column 9: expected a \"text\", a number, true, false or me, found the end"},
        {"score eq )", "column 10: expected a \"text\""},
        {"score eq 5 6", "column 12: expected and, or, or the end, found 6"},
        {"score eq 5 and", "column 15: expected a field, not, or (, found the end"},
        {"(score eq 5", "column 12: expected and, or, or ), found the end"},
        {"score eq 5)", "column 11: expected and, or, or the end, found )"},
        {"score eq 99999999999999999999", "column 10: expected a whole number of 64 bits"},
        {"score eq 1.5", "column 10: expected a \"text\""},
        {"score eq -", "column 10: expected a whole number"},
        {"title eq \"open",
         "column 10: expected a \"text\", a number, true, false or me, found a text without"},
        {R"(title eq "a\n")", "column 13: expected \\\" or \\\\ after a \\"},
        {"title eq 'x'", "column 10: expected a \"text\", a number, true, false or me, found '"},
        {"title eq \"\xC3\x9F\xC3\x9F\" x", "column 15: expected and, or, or the end"},
        {"\xC3\x9F eq 1", "column 1: expected a field, not, or (, found \xC3\x9F"},
        {"score in 5", "column 10: expected ( after in, found 5"},
        {"score in ()", "column 11: expected a \"text\""},
        {"score in (1", "column 12: expected , or ), found the end"},
        {"score between 1 or 2",
         "column 17: expected and, then the upper end of between, found or"},
        {"made_at within 7d", "column 16: expected last, today, this_week or this_month, found 7d"},
        {"made_at within last 7",
         "column 21: expected up to six digits and m, h, d or w, as in 7d"},
        {"made_at within last 7y", "column 21: expected up to six digits"},
        {"made_at within last 1234567d", "column 21: expected up to six digits"},
        {"made_at within today@Europe/Berlin", "column 22: expected Z or an offset as +02:00"},
        {"made_at within today@+24:00", "column 22: expected Z or an offset"},
        {"eq eq 5", "column 1: expected a field, not, or (, found eq"},
        {"stage eq 5", "column 1: there is no field stage; there are id, owner, title, big, score"},
        {"places eq 5", "column 1: there is no field places"},
        {"score eq \"5\"", "column 10: score is a number and cannot be compared with a text"},
        {"title eq 5", "column 10: title is text and cannot be compared with a number"},
        {"hot eq 1", "column 8: hot is true or false and cannot be compared with a number"},
        {"score eq me", "column 10: score is a number and cannot be compared with me"},
        {"title eq me", "column 10: title is text and cannot be compared with me"},
        {"color eq \"blue\"", "column 10: color is never that; it is one of red, green"},
        {"color lt \"red\"", "column 7: lt cannot be asked of color, which is one of a few names"},
        {"owner eq \"me\"", "column 10: owner is compared with a UUID or me"},
        {"made_at eq \"yesterday\"", "column 12: made_at is compared with a time as"},
        {"score contains \"5\"", "column 7: contains cannot be asked of score, which is a number"},
        {"score within last 7d", "column 7: within cannot be asked of score, which is a number"},
        {"title has_tag \"x\"", "column 7: has_tag cannot be asked of title, which is text"},
        {"tags lt \"x\"", "column 6: lt cannot be asked of tags, which is a list of texts"},
        {"value eq 5", "column 7: eq cannot be asked of value, which is money: ask value.minor or"},
        {"email contains \"ada\"",
         "column 7: contains cannot be asked of email, which is personal data"},
        {"email lt \"ada\"", "column 7: lt cannot be asked of email, which is personal data"},
        {in_parentheses, "column 33: more than 32 levels"},
        {many, "more than 64 conditions"},
        {values, "more than 256 values"},
        {std::string(4097, ' '), "filter: longer than 4096 bytes"},
    };
    for (const Refused& c : cases) {
        INFO(c.filter);
        const auto filter = RowFilter<Thing>::parse(c.filter, {now, viewer});
        REQUIRE(!filter.has_value());
        CHECK(filter.error().code == Code::invalid);
        INFO(filter.error().detail);
        CHECK(filter.error().detail.find(c.detail) != std::string::npos);
    }
}

TEST_CASE("what was searched for does not come back in an error") {
    const auto filter = RowFilter<Thing>::parse(R"(email eq "x" "ada@example.org")", {now, viewer});
    CHECK(filter.error().detail.find("ada") == std::string::npos);
}

}  // namespace
}  // namespace bos::projections
