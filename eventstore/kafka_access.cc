#include "eventstore/kafka_access.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <string>

namespace bos::eventstore::kafka {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr auto look_every = milliseconds(20);
// Before, it sent a nonce twice in the last message of SCRAM, which brokers of Kafka 4 refuse as a
// wrong password: https://github.com/confluentinc/librdkafka/pull/4895
constexpr int scram_is_right_since = 0x02060100;

/// What the brokers said, as far as it ends the wait.
struct Heard {
    std::optional<Error> refusal;  ///< the first one
    bool all_failed = false;
    std::string last;  ///< of anything that went wrong
};

std::string_view what_to_check(bool is_tls) {
    if (is_tls) {
        return "security.protocol, ssl.ca.location (who signed the brokers' certificates), whether "
               "these name the host that --kafka names, and, where brokers want a certificate of "
               "their clients, ssl.certificate.location and ssl.key.location";
    }
    return "security.protocol, sasl.mechanism, sasl.username and sasl.password";
}

void hear(rd_kafka_t*, int code, const char* reason, void* opaque) {
    auto& heard = *static_cast<Heard*>(opaque);
    const auto error = static_cast<rd_kafka_resp_err_t>(code);
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        heard.all_failed = true;
        return;
    }
    heard.last = reason;
    // Now and then it tells a handshake that failed as a broken connection, with OpenSSL's words.
    const bool is_tls = error == RD_KAFKA_RESP_ERR__SSL || heard.last.contains("SSL routines");
    const bool refused = is_tls || error == RD_KAFKA_RESP_ERR__AUTHENTICATION;
    if (!refused || heard.refusal) return;
    heard.refusal =
        Error{Code::denied, fmt::format("Kafka does not let this client in: {}. To do: check {} in "
                                        "--kafka-properties-file or --kafka-property",
                                        reason, what_to_check(is_tls))};
}

bool is_scram(const Properties& properties) {
    return std::ranges::any_of(properties, [](const auto& property) {
        const auto& [name, value] = property;
        return (name == "sasl.mechanism" || name == "sasl.mechanisms") &&
               value.starts_with("SCRAM");
    });
}

std::string hint(const Properties& properties) {
    if (!is_scram(properties) || rd_kafka_version() >= scram_is_right_since) return {};
    return fmt::format(
        ". If they are right: SCRAM at brokers of Kafka 4 needs librdkafka 2.6.1, this is {}; use "
        "another mechanism",
        rd_kafka_version_str());
}

bool answers(rd_kafka_t* handle, milliseconds timeout) {
    char* id = rd_kafka_clusterid(handle, static_cast<int>(timeout.count()));
    if (id == nullptr) return false;
    rd_kafka_mem_free(handle, id);
    return true;
}

}  // namespace

Result<void> check_access(const Properties& properties, milliseconds timeout) {
    Heard heard;
    BOS_TRY(const Owned<rd_kafka_t> handle,
            open_handle(RD_KAFKA_PRODUCER, properties, {.on_error = &hear, .opaque = &heard}));
    const auto until = Clock::now() + timeout;
    while (!answers(handle.get(), look_every)) {
        rd_kafka_poll(handle.get(), 0);
        // One broker of several may be the only one whose certificate has ended: librdkafka tries
        // another each second.
        if (!heard.all_failed && Clock::now() < until) continue;
        if (heard.refusal)
            return fail(heard.refusal->code, heard.refusal->detail + hint(properties));
        spdlog::warn("no Kafka broker answers: {}", heard.last.empty() ? "silence" : heard.last);
        return {};
    }
    return {};
}

}  // namespace bos::eventstore::kafka
