#pragma once

#include "eventstore/event_log.h"
#include "eventstore/kafka_replica.h"
#include "eventstore/log_tables.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace bos::eventstore {

class KafkaTenant;

/// An append on its way through the engine, or a question that takes its turn among them.
struct KafkaAppend {
    /// Does the log end here (EventLog::confirm)?
    struct Question {
        TenantId tenant;
        Head end;
    };

    std::optional<IndexedRecord> record;  ///< none: the bytes were no record
    std::optional<Question> question;     ///< instead of a record
    AppendDone done;                      ///< of a seal: empty, nobody waits for it
    /// Set: refused when it came. It is never sent and waits only to be answered in its turn.
    std::optional<Error> refusal;
    bool seal = false;
    /// The keys that it names are durable. Until then it waits, and what was appended after it.
    enum class Keys : std::uint8_t { unasked, asked, durable };

    // Touched only by the engine, from when it is handed to the producer.
    KafkaTenant* tenant = nullptr;
    std::uint64_t incarnation = 0;  ///< of the tenant
    Keys keys = Keys::unasked;
    std::uint64_t keys_asked = 0;            ///< the question about them, by its number
    std::shared_ptr<KafkaAppend> in_flight;  ///< itself, while the producer has its bytes
};
using KafkaAppendPtr = std::shared_ptr<KafkaAppend>;

/// What one turn of the engine leads to: records for the replica, in one batch, and after it the
/// answers, in order.
struct KafkaBurst {
    struct Answer {
        KafkaAppendPtr append;
        Result<Head> outcome;
    };
    std::vector<RecordView> records;    ///< of `answers`, and of what the consumer has handed out
    std::vector<const TenantId*> read;  ///< tenants that others' records were read of; runs are one
    std::vector<Origin> origins;
    std::vector<Answer> answers;
    /// Readers that wait for a tenant's end; called after the answers.
    std::vector<std::pair<std::move_only_function<void(Result<void>)>, Result<void>>> followed;

    void answer(KafkaAppendPtr append, Result<Head> outcome) {
        answers.push_back({std::move(append), std::move(outcome)});
    }
    void refuse(KafkaAppendPtr append, Error error) {
        answer(std::move(append), std::unexpected(std::move(error)));
    }
};

}  // namespace bos::eventstore
