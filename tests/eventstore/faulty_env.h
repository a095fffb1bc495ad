#pragma once

#include <rocksdb/env.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace bos::eventstore::test {

/// A disk that fails when the test wants it to, and can lose power. Wraps the machine's file
/// system.
///
/// Thread-safe.
class FaultyDisk {
  public:
    enum class Operation { append, sync, folder_sync };
    enum class Outcome { ok, no_space, io_error };
    using Fault = std::function<Outcome(Operation, const std::string& path)>;

    FaultyDisk();
    ~FaultyDisk();

    [[nodiscard]] rocksdb::Env* env() const { return env_.get(); }

    /// Asked before each operation. An append that fails still writes the first half of its bytes.
    void on_operation(Fault fault);
    void heal() { on_operation({}); }

    /// What GetFreeSpace answers from now on.
    void set_free_bytes(std::uint64_t bytes);

    /// Bytes that a loss of power would take from the WAL in `folder`.
    [[nodiscard]] std::uint64_t unsynced_wal_bytes(const std::string& folder) const;

    /// From now on nothing reaches the disk; every operation says ok. Then drop what uses the disk.
    void cut_power();
    /// Takes away what was not synced (of files; names are kept) and lets the disk work again.
    void restore_power();

    struct State;

  private:
    std::shared_ptr<State> state_;
    std::unique_ptr<rocksdb::Env> env_;
};

}  // namespace bos::eventstore::test
