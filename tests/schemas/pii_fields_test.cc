#include "schemas/base/pii_fields.h"

#include "schemas/leads.gen.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace bos {

namespace {

template <class Message>
std::vector<std::string> personal_fields_of(Message& message) {
    std::vector<std::string> names;
    for_each_pii(message, [&](std::string_view name, auto&) { names.emplace_back(name); });
    return names;
}

}  // namespace

TEST_CASE("personal fields are found wherever they stand in a message") {
    leads::CaptureLead command;
    command.profile.given_name = Pii<std::string>("Ana");
    command.profile.emails = Pii<std::vector<std::string>>(std::vector<std::string>{"a@b.c"});
    CHECK(personal_fields_of(command) == std::vector<std::string>{"given_name", "emails"});

    leads::ChangeLead change;
    change.changes.family_name = Patch<Pii<std::string>>::set(Pii<std::string>("Sol"));
    change.changes.given_name = Patch<Pii<std::string>>::clear();
    CHECK(personal_fields_of(change) == std::vector<std::string>{"family_name"});

    leads::Board board;
    board.columns.resize(2);
    board.columns[1].cards.resize(1);
    board.columns[1].cards[0].family_name = Pii<std::string>("Sol");
    CHECK(personal_fields_of(board) == std::vector<std::string>{"family_name"});

    leads::LeadTagged none;
    CHECK(personal_fields_of(none).empty());
}

}  // namespace bos
