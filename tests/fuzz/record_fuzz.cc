// Records and events: bytes that decode are those of a commit, whatever stands in them.
#include "eventstore/commit.h"
#include "eventstore/record_index.h"
#include "gateway/record_json.h"
#include "tests/fuzz/check.h"

using bos::fuzz::always;
using namespace bos::eventstore;

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view record = bos::fuzz::text_of(data, size);
    const auto commit = decode(record);
    const auto index = index_of(record);
    const auto link = link_of(record);
    if (!commit) {
        always(commit.error().code == bos::Code::corrupt, "what does not decode is corrupt");
        return 0;
    }
    always(link.has_value(), "what decodes has its place in the chain");
    always(link->position == commit->position && link->tenant == commit->tenant,
           "and it is the same place");
    if (index) {
        always(index->link.position == commit->position, "the index tells the record's position");
        always(index->hash == hash_of(record), "and its hash");
        always(index->events.size() == commit->events.size(), "and all of its events");
    }
    const auto again = decode(encode(*commit));
    always(again && *again == *commit, "a commit survives its bytes");
    // Decodes each event as what it says it is.
    always(!bos::gateway::record_json(*commit, hash_of(record)).empty(), "a record can be shown");
    return 0;
}
