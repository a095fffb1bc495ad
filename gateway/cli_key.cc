// bos key create|list|revoke: the API keys of a data folder, or of the nodes on a Kafka cluster.
// Works while a server runs on it.
#include "gateway/cli.h"
#include "gateway/credentials.h"
#include "gateway/open_credentials.h"
#include "gateway/roles.h"
#include "schemas/base/random.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <memory>

namespace bos::gateway {

namespace {

struct KeyOptions {
    std::string data = "data";
    KafkaCluster kafka;
    std::string tenant;
    std::string user;
    std::string user_id;
    std::string role = "agent";
    std::string expires_at;
    std::string key;
};

int refuse(std::string_view rule) {
    fmt::print(stderr, "bos: {}\n", rule);
    return 2;
}

int create(const KeyOptions& options) {
    SystemClock clock;
    SystemRandom random;
    const auto tenant = TenantId::parse(options.tenant);
    if (!tenant)
        return refuse(
            "--tenant must be 1 to 63 of a-z, 0-9 and -, starting with a letter or digit");
    Uuid user = new_uuid(clock.now(), random);
    if (!options.user_id.empty()) {
        const auto parsed = parse_uuid(options.user_id);
        if (!parsed) return refuse("--user-id must be a UUID");
        user = *parsed;
    }
    NewCredential credential{.tenant = *tenant,
                             .user = UserId(user),
                             .user_name = options.user,
                             .role = options.role,
                             .expires_at = {}};
    if (!options.expires_at.empty()) {
        credential.expires_at = parse_timestamp(options.expires_at);
        if (!credential.expires_at)
            return refuse("--expires must be a date and time as 2027-01-31T00:00:00Z");
    }
    const auto book = open_credential_book(options.data, options.kafka);
    if (!book) return report(book.error());
    const auto key = create_api_key(**book, credential, clock.now(), random);
    if (!key) return report(key.error());
    fmt::print(stderr, "user {} of tenant {}, role {}. The key is shown this once:\n",
               to_string(user), tenant->value(), options.role);
    fmt::print("{}\n", *key);
    return 0;
}

int list(const KeyOptions& options) {
    const auto book = open_credential_book(options.data, options.kafka);
    if (!book) return report(book.error());
    const auto credentials = (*book)->read();
    if (!credentials) return report(credentials.error());
    for (const auto& [id, credential] : *credentials) {
        fmt::print("{} tenant={} user={} role={} created={} expires={}\n", id,
                   credential.tenant.value(), to_string(credential.user), credential.role,
                   to_string(credential.created_at),
                   credential.expires_at ? to_string(*credential.expires_at) : "never");
    }
    return 0;
}

int revoke(const KeyOptions& options) {
    SystemClock clock;
    const auto book = open_credential_book(options.data, options.kafka);
    if (!book) return report(book.error());
    const auto revoked = (*book)->append_revoked(options.key, clock.now());
    return revoked ? 0 : report(revoked.error());
}

std::string role_names() {
    std::string names;
    for (const Role& role : all_roles())
        names += (names.empty() ? "" : ", ") + std::string(role.name);
    return names;
}

}  // namespace

void add_key(CLI::App& app, int& status) {
    CLI::App* key = app.add_subcommand("key", "Make, list and revoke API keys of users");
    key->require_subcommand(1);
    const auto options = std::make_shared<KeyOptions>();
    const auto add_word = [&](const char* name, const char* help, int (*run)(const KeyOptions&)) {
        CLI::App* word = key->add_subcommand(name, help);
        word->add_option("--data", options->data, "The data folder")
            ->envname("BOS_DATA")
            ->capture_default_str();
        add_kafka_options(*word, options->kafka);
        word->callback([run, options, &status] { status = run(*options); });
        return word;
    };
    CLI::App* word = add_word("create", "Make a key and print it once", &create);
    word->add_option("--tenant", options->tenant, "The tenant; it comes to be with its first key")
        ->required();
    word->add_option("--user", options->user, "The user's name, for administrators")->required();
    word->add_option("--user-id", options->user_id, "The user's id, when the user has one already");
    word->add_option("--role", options->role, "One of " + role_names())->capture_default_str();
    word->add_option("--expires", options->expires_at, "When the key ends; without it never");
    add_word("list", "Print the keys that are valid; never their secrets", &list);
    add_word("revoke", "End a key; a running server follows within a second", &revoke)
        ->add_option("key", options->key, "The 16 digits behind bos_")
        ->required();
}

}  // namespace bos::gateway
