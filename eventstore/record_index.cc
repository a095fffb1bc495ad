#include "eventstore/record_index.h"

#include "commit_generated.h"
#include "eventstore/verified_record.h"
#include "schemas/base/digest.h"

namespace bos::eventstore {

Result<RecordIndex> index_of(std::string_view record) {
    // Records that were read come unaligned, by the hundred thousand; rare large ones give it back.
    thread_local VerifiedRecord::Room room;
    constexpr std::size_t room_kept = 64 * 1024 / sizeof(VerifiedRecord::Room::value_type);
    if (room.size() > room_kept) VerifiedRecord::Room().swap(room);
    BOS_TRY(const VerifiedRecord verified, VerifiedRecord::of(record, room));
    const fb::Commit& commit = verified.commit();
    RecordIndex index{.link = verified.link(),
                      .hash = hash_of(record),
                      .key_digest = sha256(commit.key()->string_view()),
                      .events = {}};
    index.events.reserve(commit.events()->size());
    for (const fb::Event* event : *commit.events()) {
        index.events.push_back(
            {.stream = {.type = event->stream_type(), .id = same_bytes<Uuid>(*event->stream_id())},
             .version = Version{event->version()}});
    }
    return index;
}

}  // namespace bos::eventstore
