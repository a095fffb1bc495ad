// Writes what the fuzzers begin with: fuzz_seeds DIR makes a folder for each of them.
#include "eventstore/commit.h"
#include "gateway/api_key.h"
#include "projections/cursor.h"
#include "schemas/base/arbitrary.h"
#include "schemas/base/codec.h"
#include "schemas/base/json_write.h"
#include "tests/commands/machine.h"
#include "tests/commands/random_commands.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace {

using namespace bos;
namespace fs = std::filesystem;

class Folder {
  public:
    explicit Folder(fs::path path) : path_(std::move(path)) { fs::create_directories(path_); }
    void add(std::string_view bytes) {
        std::ofstream file(path_ / std::to_string(count_++), std::ios::binary);
        file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }

  private:
    const fs::path path_;
    int count_ = 0;
};

void add_heads(Folder folder) {
    for (const std::string_view head :
         {"GET /v1/leads?limit=3&filter=stage%20eq%20%22new%22 HTTP/1.1\r\nHost: localhost:8080\r\n"
          "Authorization: Bearer x\r\n\r\n",
          "POST /v1/leads HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nIdempotency-Key: k\r\n\r\n{}",
          "POST /v1/leads HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
          "chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
          "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n",
          "GET http://a.example/%C3%A4 HTTP/1.0\r\nHost: a.example\r\nExpect: 100-continue\r\n\r\n",
          "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"}) {
        folder.add("\x07" + std::string(head));
    }
}

void add_filters(Folder folder) {
    for (const std::string_view filter :
         {R"(stage eq "new" and (expected_value.minor ge 100000 or tags has_tag "vip"))",
          R"(created_at within last 7d and not owner eq me)", R"(company_name starts "A\"\\")",
          R"(score between 1 and 100 or score in (1, 2, -3) and emails is_null)",
          R"(created_at within this_week@+02:00 or status nin ("won", "lost"))"}) {
        folder.add(filter);
    }
}

void add_json(Folder folder) {
    int number = 0;
    for_each_type(commands::Modules{}, [&]<class Module>() {
        for_each_type(typename Module::Commands{}, [&]<class Command>() {
            const std::string json = to_json(arbitrary_of<Command>(1), ShowPii::plain);
            folder.add(std::string(1, static_cast<char>(number++)) + json);
        });
    });
}

void add_records(Folder folder) {
    std::uint64_t seed = 1;
    for_each_type(commands::Modules{}, [&]<class Module>() {
        [&]<class... Events>(std::type_identity<std::variant<Events...>>) {
            const auto add = [&]<class Event>(std::type_identity<Event>) {
                const auto event = arbitrary_of<Event>(++seed, PiiStates::any);
                eventstore::Commit commit{.tenant = *TenantId::parse("acme"),
                                          .position = Position{seed},
                                          .previous_hash = {},
                                          .recorded_at = from_micros(1'800'000'000'000'000),
                                          .command = "leads.capture-lead",
                                          .key = fmt::format("key-{}", seed),
                                          .fingerprint = {},
                                          .actor = {},
                                          .on_behalf_of = {},
                                          .correlation = {},
                                          .causation = {},
                                          .grant = "leads:lead:create@all",
                                          .target = event.stream().id,
                                          .target_version = {},
                                          .events = {}};
                commit.events.push_back({.type = std::string(Event::wire_name),
                                         .number = Event::number,
                                         .schema_version = Event::schema_version,
                                         .stream = event.stream(),
                                         .version = Version{1},
                                         .payload = encode(event)});
                folder.add(eventstore::encode(commit));
            };
            (add(std::type_identity<Events>{}), ...);
        }(std::type_identity<typename Module::Event>{});
    });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const fs::path root = argv[1];
    add_heads(Folder(root / "head"));
    add_filters(Folder(root / "filter"));
    add_json(Folder(root / "json"));
    add_records(Folder(root / "record"));
    commands::test::SetRandom random(1);
    Folder(root / "api_key").add(gateway::to_text(gateway::new_api_key(random)));
    projections::Cursor cursor;
    cursor.index_key = "key";
    Folder(root / "cursor")
        .add(projections::to_text(cursor, *TenantId::parse("acme"),
                                  std::string(32, 't')));  // another secret
    return 0;
}
