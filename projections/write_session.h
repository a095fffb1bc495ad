#pragma once

#include "projections/generation.h"
#include "projections/key_hash.h"
#include "projections/past.h"
#include "projections/row_arena.h"
#include "projections/row_destination.h"
#include "projections/view_reader.h"
#include "schemas/base/keys.h"
#include "schemas/base/position.h"
#include "schemas/base/result.h"
#include "schemas/base/tenant.h"
#include "schemas/base/uuid.h"

#include <boost/unordered/unordered_flat_set.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace bos::projections {

class ViewDatabase;
class ViewWriter;

/// Rows of one tenant, written commit after commit and then all at once:
///
///     session.begin(Position{7});
///     session.writer(view).put(key, row);
///     session.begin(Position{8});
///     …
///     session.finish();             // one write: rows, their past, and the applied position
///
/// Each commit leaves its own version of the rows that it changed; a row written twice inside one
/// commit has one. What was finished stays cached for the commits that follow, until drop_cache().
///
/// A finish is one batch. A session that builds generations, and so has no readers yet, finishes
/// many rows by files (ViewStoreOptions::file_bytes_min, RowFiles), until its first batch.
///
/// An error (a failed read, a row that does not decode) is kept: nothing is written any more, and
/// finish() returns it. The session is then of no use.
///
/// One thread at a time, one session per generation at a time.
class WriteSession {
  public:
    WriteSession(WriteSession&&) noexcept;
    WriteSession& operator=(WriteSession&&) = delete;
    ~WriteSession();

    /// The writes that follow belong to this commit. Positions only grow. `begun` are ids of
    /// streams whose first event is in it: no row whose key ends with one of them was ever written,
    /// so none is looked for.
    void begin(Position position, std::vector<Uuid> begun = {});
    /// The rows of a view. The session must write to it (BOS_ASSERT). Stays valid while the session
    /// does.
    [[nodiscard]] ViewWriter writer(std::uint16_t view);
    /// Writes everything since the last finish().
    [[nodiscard]] Result<void> finish();

    [[nodiscard]] Position position() const { return position_; }
    [[nodiscard]] std::span<const Generation> generations() const { return generations_; }
    /// Bytes that finish() would write, roughly.
    [[nodiscard]] std::size_t pending_bytes() const { return pending_bytes_; }
    /// Bytes that drop_cache() would free, roughly.
    [[nodiscard]] std::size_t cached_bytes() const {
        return arena_.bytes() + entries_ * place_of_entry_bytes;
    }
    /// Forgets the rows seen so far; only with nothing pending.
    void drop_cache();

    /// The first error is kept.
    void fail(Error error);
    [[nodiscard]] bool failed() const { return error_.has_value(); }

  private:
    friend class ViewStore;
    friend class ViewWriter;

    /// What an entry costs beyond the arena: its place in the table.
    static constexpr std::size_t place_of_entry_bytes = 32;

    enum class Role { live, building };
    enum class State : std::uint8_t { absent, live, deleted };

    /// What a row is since `position`.
    struct RowVersion {
        State state = State::absent;
        Position position;
        std::string_view row = {};  // in arena_; deleted: as it was
        Position former = {};       // deleted: since when it was so
    };
    struct Replaced {
        RowVersion version;
        const Replaced* before;
    };
    struct Entry {
        std::string_view key;  // in arena_
        Past past;
        RowVersion now = {};
        const Replaced* replaced = nullptr;  // since the last finish, newest first
        State stored = State::absent;        // in the database
        bool touched = false;                // by this commit
        bool dirty = false;                  // differs from the database
    };
    /// Places of entries in a table, found without a look at the entries of others.
    struct Place {
        std::uint64_t hash;
        Entry* entry;
    };
    struct HashedKey {
        std::uint64_t hash;
        std::string_view key;
    };
    struct PlaceHash {
        using is_transparent = void;
        using is_avalanching = void;  // see KeyHash
        std::size_t operator()(const Place& place) const { return place.hash; }
        std::size_t operator()(const HashedKey& key) const { return key.hash; }
    };
    struct SamePlace {
        using is_transparent = void;
        bool operator()(const Place& a, const Place& b) const { return a.entry == b.entry; }
        bool operator()(const Place& a, const HashedKey& b) const {
            return a.hash == b.hash && a.entry->key == b.key;
        }
        bool operator()(const HashedKey& a, const Place& b) const { return (*this)(b, a); }
    };
    struct ByKey {
        using is_transparent = void;
        bool operator()(const Entry* a, const Entry* b) const { return a->key < b->key; }
        bool operator()(const Entry* a, std::string_view b) const { return a->key < b; }
        bool operator()(std::string_view a, const Entry* b) const { return a < b->key; }
    };
    struct Rows {
        std::string prefix;
        bool all_cached = false;  // what is not here is not in the database either
        boost::unordered_flat_set<Place, PlaceHash, SamePlace> by_key;
        std::optional<std::set<Entry*, ByKey>> in_order;  // once a view has scanned
        std::vector<Entry*> dirty;                        // since the last finish
        bool scanning = false;
    };
    struct Touched {
        Rows* rows;
        Entry* entry;
        RowVersion before;
    };

    WriteSession(const ViewDatabase& database, const TenantId& tenant,
                 std::vector<Generation> generations, Role role, bool empty);

    Entry& find(Rows& rows, std::string_view key, Past past);
    [[nodiscard]] bool is_of_begun_stream(std::string_view key) const;
    void load(const Rows& rows, Entry& entry);
    void put(Rows& rows, std::string_view key, std::string_view row, Past past);
    void erase(Rows& rows, std::string_view key, Past past);
    void touch(Rows& rows, Entry& entry);
    std::optional<std::string_view> get(Rows& rows, std::string_view key, Past past);
    void scan(Rows& rows, std::string_view from, std::string_view to, const VisitRow& visit);

    void end_commit();
    void settle(const Touched& touched);
    void remember(const Touched& touched, RowVersion version);
    [[nodiscard]] Result<void> write_all();
    [[nodiscard]] Result<void> write_rows(RowDestination& to);
    [[nodiscard]] Result<void> write_newest(const Entry& entry, std::string& key,
                                            RowDestination& to);
    [[nodiscard]] Result<void> write_replaced(const Entry& entry, std::string& key,
                                              RowDestination& to);

    // Constant after construction.
    const ViewDatabase* database_;
    TenantId tenant_;
    std::vector<Generation> generations_;
    Role role_;

    Position position_;
    std::vector<Uuid> begun_;  // streams, by the commit
    bool in_commit_ = false;
    bool only_files_yet_;                      // nothing has come through the memtable
    std::vector<std::unique_ptr<Rows>> rows_;  // as generations_
    RowArena arena_;
    std::vector<Touched> touched_;  // by this commit
    std::string value_;             // of the row that is being written
    std::size_t pending_bytes_ = 0;
    std::size_t entries_ = 0;
    std::optional<Error> error_;
};

/// The rows of one view inside a session: what a view's `apply` sees. A view reads and writes its
/// own rows only, so that each can be rebuilt by itself.
///
/// As the session: one thread at a time.
class ViewWriter {
  public:
    /// Of the commit that is being applied.
    [[nodiscard]] Position position() const { return session_->position(); }

    /// The row becomes `row`; equal bytes leave it as it is.
    void put(std::string_view key, std::string_view row, Past past = Past::kept) {
        session_->put(*rows_, key, row, past);
    }
    void erase(std::string_view key, Past past = Past::kept) { session_->erase(*rows_, key, past); }

    /// Sees what this session wrote. The view is valid until the row is written again.
    [[nodiscard]] std::optional<std::string_view> get(std::string_view key,
                                                      Past past = Past::kept) {
        return session_->get(*rows_, key, past);
    }
    /// Visits from <= key < to (empty = the view's end) in key order, with what this session wrote.
    /// `visit` must not write: collect first.
    void scan(std::string_view from, std::string_view to, const VisitRow& visit) {
        session_->scan(*rows_, from, to, visit);
    }
    void scan_prefix(std::string_view prefix, const VisitRow& visit) {
        session_->scan(*rows_, prefix, after_prefix(prefix), visit);
    }

    /// The rows cannot be what they should: the session writes nothing any more and says so.
    void fail(Error error) { session_->fail(std::move(error)); }

  private:
    friend class WriteSession;
    ViewWriter(WriteSession& session, WriteSession::Rows& rows)
        : session_(&session), rows_(&rows) {}

    WriteSession* session_;
    WriteSession::Rows* rows_;
};

}  // namespace bos::projections
