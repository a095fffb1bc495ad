#include "gateway/open_credentials.h"

#include "gateway/credential_file.h"
#include "gateway/credentials.h"

#include <fmt/format.h>

#include <utility>

namespace bos::gateway {

namespace {

namespace fs = std::filesystem;

Result<void> check_place_of_credentials(const fs::path& data, const KafkaCluster& kafka) {
    std::error_code ignored;
    const bool has_file = fs::exists(credential_file(data), ignored);
    if (kafka.given() && has_file) {
        return fail(Code::invalid, fmt::format("{} has API keys of this node alone; bos promote "
                                               "shares them on Kafka",
                                               credential_file(data).string()));
    }
    if (!kafka.given() && !has_file && fs::exists(credential_copy(data), ignored)) {
        return fail(Code::invalid,
                    fmt::format("the API keys of {} are on Kafka: name its brokers with --kafka",
                                data.string()));
    }
    return {};
}

}  // namespace

fs::path credential_file(const fs::path& data) { return data / "credentials.jsonl"; }

fs::path credential_copy(const fs::path& data) { return data / "shared-credentials"; }

Result<std::unique_ptr<SharedCredentials>> open_shared_credentials(const KafkaCluster& kafka,
                                                                   const fs::path& copy) {
    SharedCredentialsOptions options;
    BOS_TRY(options.topic, shared_topic_options(kafka, "credentials"));
    options.copy = copy;
    return SharedCredentials::open(std::move(options));
}

Result<std::unique_ptr<CredentialSource>> open_credentials(const fs::path& data,
                                                           const KafkaCluster& kafka) {
    BOS_CHECK(check_place_of_credentials(data, kafka));
    if (kafka.given()) return open_shared_credentials(kafka, credential_copy(data));
    auto credentials = std::make_unique<Credentials>(credential_file(data));
    BOS_CHECK(credentials->load());
    return credentials;
}

Result<std::unique_ptr<CredentialBook>> open_credential_book(const fs::path& data,
                                                             const KafkaCluster& kafka) {
    BOS_CHECK(check_place_of_credentials(data, kafka));
    if (kafka.given()) {
        BOS_CHECK(check_access(kafka));
        return open_shared_credentials(kafka);
    }
    std::error_code ignored;
    fs::create_directories(data, ignored);
    return std::make_unique<CredentialFile>(credential_file(data));
}

}  // namespace bos::gateway
