#include "gateway/kafka_cluster.h"

#include "eventstore/kafka_access.h"
#include "gateway/private_file.h"

#include <fmt/format.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

namespace bos::gateway {

namespace {

namespace fs = std::filesystem;

constexpr auto access_timeout = std::chrono::seconds(5);

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t\r";
    const std::size_t first = text.find_first_not_of(blank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

std::optional<std::pair<std::string, std::string>> parse(std::string_view property) {
    const std::size_t equals = property.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const std::string_view name = trimmed(property.substr(0, equals));
    if (name.empty()) return std::nullopt;
    return std::pair(std::string(name), std::string(property.substr(equals + 1)));
}

Result<void> check_file(const fs::path& path) {
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status))
        return fail(Code::not_found, fmt::format("--kafka-properties-file {}: {}", path.string(),
                                                 error ? error.message() : "no such file"));
    if (!fs::is_regular_file(status))
        return fail(Code::invalid,
                    fmt::format("--kafka-properties-file {} is not a file", path.string()));
    return check_private(status.permissions(), path);
}

/// Values are what stands behind the first =, without blanks around it: no quotes, and # is a
/// character as any other, since passwords have them.
Result<KafkaProperties> read_file(const fs::path& path) {
    BOS_CHECK(check_file(path));
    std::ifstream file(path);
    KafkaProperties properties;
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
        const std::string_view text = trimmed(line);
        if (text.empty() || text.starts_with('#')) continue;
        auto property = parse(text);
        if (!property)
            return fail(Code::invalid,
                        fmt::format("{} line {}: must be NAME=VALUE", path.string(), number));
        property->second = trimmed(property->second);
        properties.push_back(*std::move(property));
    }
    if (!file.eof())
        return fail(Code::unavailable,
                    fmt::format("--kafka-properties-file {} does not read", path.string()));
    return properties;
}

}  // namespace

Result<KafkaProperties> given_properties(const KafkaCluster& kafka) {
    KafkaProperties properties;
    if (!kafka.properties_file.empty()) {
        BOS_TRY(properties, read_file(kafka.properties_file));
    }
    for (std::size_t i = 0; i < kafka.properties.size(); ++i) {
        auto property = parse(kafka.properties[i]);
        if (!property)
            return fail(
                Code::invalid,
                fmt::format("--kafka-property: each must be NAME=VALUE, number {} is not", i + 1));
        properties.push_back(*std::move(property));
    }
    return properties;
}

Result<KafkaProperties> client_properties(const KafkaCluster& kafka) {
    BOS_TRY(KafkaProperties properties, given_properties(kafka));
    properties.emplace_back("bootstrap.servers", kafka.brokers);
    return properties;
}

Result<void> check_access(const KafkaCluster& kafka) {
    BOS_TRY(const KafkaProperties properties, client_properties(kafka));
    return eventstore::kafka::check_access(properties, access_timeout);
}

}  // namespace bos::gateway
