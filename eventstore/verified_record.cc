#include "eventstore/verified_record.h"

#include "commit_generated.h"

#include <fmt/format.h>

#include <cstring>

namespace bos::eventstore {

namespace {

// A record is two levels deep; the rest is room for fields of later versions.
constexpr std::uint32_t depth_max = 16;
// Commit and its two actors, again with room.
constexpr std::uint32_t tables_max = events_max + 16;
// FlatBuffers: root offset and file identifier.
constexpr std::size_t header_bytes = 8;

std::unexpected<Error> corrupt(std::string what) {
    return fail(Code::corrupt, "record: " + std::move(what));
}

bool is_aligned(std::string_view bytes) {
    return reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(std::uint64_t) == 0;
}

/// Bytes where they may be read in place.
const std::uint8_t* aligned(std::string_view bytes, VerifiedRecord::Room& room) {
    if (is_aligned(bytes)) return reinterpret_cast<const std::uint8_t*>(bytes.data());
    const std::size_t words = (bytes.size() + sizeof(room[0]) - 1) / sizeof(room[0]);
    if (room.size() < words) room.resize(words);
    std::memcpy(room.data(), bytes.data(), bytes.size());
    return reinterpret_cast<const std::uint8_t*>(room.data());
}

/// What a record's parts add up to. Parts of a buffer may overlap, so that a small record could
/// unfold into a huge commit; encode() never shares, so an honest record is larger than its parts.
std::size_t unfolded_bytes(const fb::Commit& commit) {
    std::size_t bytes = std::size_t{commit.tenant()->size()} + commit.command()->size() +
                        commit.key()->size() + commit.grant()->size();
    for (const fb::Event* event : *commit.events()) {
        bytes += std::size_t{event->type()->size()} + event->payload()->size();
    }
    return bytes;
}

bool is_actor(const fb::Actor* actor) {
    return actor == nullptr || actor->kind() <= static_cast<std::uint8_t>(ActorKind::system);
}

}  // namespace

Result<VerifiedRecord> VerifiedRecord::of(std::string_view record, Room& room) {
    if (record.size() < header_bytes || record.size() > record_bytes_max) {
        return corrupt(fmt::format("{} bytes are not a commit", record.size()));
    }
    const std::uint8_t* bytes = aligned(record, room);
    if (!fb::CommitBufferHasIdentifier(bytes)) return corrupt("not a commit (file identifier)");
    flatbuffers::Verifier verifier(bytes, record.size(), depth_max, tables_max);
    if (!fb::VerifyCommitBuffer(verifier)) return corrupt("not a sound buffer");

    const fb::Commit* commit = fb::GetCommit(bytes);
    std::optional<TenantId> tenant = TenantId::parse(commit->tenant()->string_view());
    if (!tenant) return corrupt("tenant breaks the rules of a tenant's name");
    if (commit->position() == 0) return corrupt("position 0");
    if (commit->command()->size() == 0) return corrupt("no command");
    if (commit->key()->size() == 0) return corrupt("no idempotency key");
    if (!is_actor(commit->actor()) || !is_actor(commit->on_behalf_of())) {
        return corrupt("unknown kind of actor");
    }
    if (commit->events()->size() > events_max) return corrupt("too many events");
    if (unfolded_bytes(*commit) > record.size()) return corrupt("parts overlap");
    return VerifiedRecord(commit, *std::move(tenant));
}

Link VerifiedRecord::link() const {
    return Link{.tenant = tenant_,
                .position = Position{commit_->position()},
                .previous_hash = same_bytes<Hash>(*commit_->previous_hash()),
                .recorded_at = from_micros(commit_->recorded_at())};
}

}  // namespace bos::eventstore
