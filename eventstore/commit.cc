#include "eventstore/commit.h"

#include "commit_generated.h"
#include "eventstore/verified_record.h"
#include "schemas/base/digest.h"

namespace bos::eventstore {

namespace {

using Builder = flatbuffers::FlatBufferBuilder;

flatbuffers::Offset<flatbuffers::String> text(Builder& builder, std::string_view value) {
    return builder.CreateString(value.data(), value.size());
}

flatbuffers::Offset<fb::Actor> build_actor(Builder& builder, const Actor& actor) {
    const auto id = same_bytes<fb::Uuid>(actor.id.value());
    return fb::CreateActor(builder, static_cast<std::uint8_t>(actor.kind), &id);
}

flatbuffers::Offset<fb::Event> build_event(Builder& builder, const RecordedEvent& event) {
    const auto type = text(builder, event.type);
    const auto payload = builder.CreateVector(
        reinterpret_cast<const std::uint8_t*>(event.payload.data()), event.payload.size());
    const auto stream_id = same_bytes<fb::Uuid>(event.stream.id);
    return fb::CreateEvent(builder, type, event.number, event.schema_version, event.stream.type,
                           &stream_id, event.version.value, payload);
}

Actor read_actor(const fb::Actor& actor) {
    return Actor{.kind = static_cast<ActorKind>(actor.kind()),
                 .id = UserId(same_bytes<Uuid>(*actor.id()))};
}

RecordedEvent read_event(const fb::Event& event) {
    const auto* payload = reinterpret_cast<const char*>(event.payload()->data());
    return RecordedEvent{
        .type = event.type()->str(),
        .number = event.number(),
        .schema_version = event.schema_version(),
        .stream = {.type = event.stream_type(), .id = same_bytes<Uuid>(*event.stream_id())},
        .version = Version{event.version()},
        .payload = std::string(payload, event.payload()->size())};
}

}  // namespace

// The order of the calls below is the order of the bytes: changing it changes every hash to come.
std::string encode(const Commit& commit) {
    Builder builder(1024);
    std::vector<flatbuffers::Offset<fb::Event>> event_offsets;
    event_offsets.reserve(commit.events.size());
    for (const RecordedEvent& event : commit.events) {
        event_offsets.push_back(build_event(builder, event));
    }
    const auto events = builder.CreateVector(event_offsets);
    const auto tenant = text(builder, commit.tenant.value());
    const auto command = text(builder, commit.command);
    const auto key = text(builder, commit.key);
    const auto grant = text(builder, commit.grant);
    const auto actor = build_actor(builder, commit.actor);
    const auto on_behalf_of = commit.on_behalf_of ? build_actor(builder, *commit.on_behalf_of)
                                                  : flatbuffers::Offset<fb::Actor>();
    const auto previous_hash = same_bytes<fb::Hash>(commit.previous_hash);
    const auto fingerprint = same_bytes<fb::Hash>(commit.fingerprint);
    const auto correlation = same_bytes<fb::Uuid>(commit.correlation);
    const auto target = same_bytes<fb::Uuid>(commit.target);

    const auto root = fb::CreateCommit(
        builder, tenant, commit.position.value, &previous_hash, micros(commit.recorded_at), command,
        key, &fingerprint, actor, on_behalf_of, &correlation, commit.causation.value, commit.depth,
        grant, events, commit.target.is_nil() ? nullptr : &target, commit.target_version.value);
    fb::FinishCommitBuffer(builder, root);
    return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

Result<Commit> decode(std::string_view record) {
    VerifiedRecord::Room room;
    BOS_TRY(const VerifiedRecord verified, VerifiedRecord::of(record, room));
    const fb::Commit& stored = verified.commit();
    Commit commit{.tenant = verified.tenant(),
                  .position = Position{stored.position()},
                  .previous_hash = same_bytes<Hash>(*stored.previous_hash()),
                  .recorded_at = from_micros(stored.recorded_at()),
                  .command = stored.command()->str(),
                  .key = stored.key()->str(),
                  .fingerprint = same_bytes<Hash>(*stored.fingerprint()),
                  .actor = read_actor(*stored.actor()),
                  .on_behalf_of = std::nullopt,
                  .correlation = same_bytes<Uuid>(*stored.correlation()),
                  .causation = Position{stored.causation()},
                  .depth = stored.depth(),
                  .grant = stored.grant()->str(),
                  .target = stored.target() ? same_bytes<Uuid>(*stored.target()) : Uuid{},
                  .target_version = Version{stored.target_version()},
                  .events = {}};
    if (stored.on_behalf_of()) commit.on_behalf_of = read_actor(*stored.on_behalf_of());
    commit.events.reserve(stored.events()->size());
    for (const fb::Event* event : *stored.events()) commit.events.push_back(read_event(*event));
    return commit;
}

Result<Link> link_of(std::string_view record) {
    VerifiedRecord::Room room;
    BOS_TRY(const VerifiedRecord verified, VerifiedRecord::of(record, room));
    return verified.link();
}

Hash hash_of(std::string_view record) { return sha256(record); }

}  // namespace bos::eventstore
