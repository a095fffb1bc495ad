#include "eventstore/spliced_env.h"

#include <cstdint>
#include <string>

namespace bos::eventstore {

namespace {

class SplicedEnv final : public rocksdb::EnvWrapper {
  public:
    SplicedEnv(rocksdb::Env& env, const std::shared_ptr<rocksdb::FileSystem>& files)
        : EnvWrapper(rocksdb::NewCompositeEnv(files)), env_(env) {
        file_system_ = files;
        system_clock_ = env.GetSystemClock();
    }

    void Schedule(void (*function)(void*), void* arg, Priority priority, void* tag,
                  void (*dropped)(void*)) override {
        env_.Schedule(function, arg, priority, tag, dropped);
    }
    int UnSchedule(void* tag, Priority priority) override { return env_.UnSchedule(tag, priority); }
    void StartThread(void (*function)(void*), void* arg) override {
        env_.StartThread(function, arg);
    }
    void WaitForJoin() override { env_.WaitForJoin(); }
    unsigned int GetThreadPoolQueueLen(Priority priority) const override {
        return env_.GetThreadPoolQueueLen(priority);
    }
    int ReserveThreads(int count, Priority priority) override {
        return env_.ReserveThreads(count, priority);
    }
    int ReleaseThreads(int count, Priority priority) override {
        return env_.ReleaseThreads(count, priority);
    }
    void SetBackgroundThreads(int count, Priority priority) override {
        env_.SetBackgroundThreads(count, priority);
    }
    int GetBackgroundThreads(Priority priority) override {
        return env_.GetBackgroundThreads(priority);
    }
    void IncBackgroundThreadsIfNeeded(int count, Priority priority) override {
        env_.IncBackgroundThreadsIfNeeded(count, priority);
    }
    void LowerThreadPoolIOPriority(Priority pool) override { env_.LowerThreadPoolIOPriority(pool); }
    void LowerThreadPoolCPUPriority(Priority pool) override {
        env_.LowerThreadPoolCPUPriority(pool);
    }
    rocksdb::Status LowerThreadPoolCPUPriority(Priority pool,
                                               rocksdb::CpuPriority priority) override {
        return env_.LowerThreadPoolCPUPriority(pool, priority);
    }
    rocksdb::Status GetThreadList(std::vector<rocksdb::ThreadStatus>* threads) override {
        return env_.GetThreadList(threads);
    }
    rocksdb::ThreadStatusUpdater* GetThreadStatusUpdater() const override {
        return env_.GetThreadStatusUpdater();
    }
    std::uint64_t GetThreadID() const override { return env_.GetThreadID(); }

    std::uint64_t NowMicros() override { return env_.NowMicros(); }
    std::uint64_t NowNanos() override { return env_.NowNanos(); }
    std::uint64_t NowCPUNanos() override { return env_.NowCPUNanos(); }
    void SleepForMicroseconds(int micros) override { env_.SleepForMicroseconds(micros); }
    rocksdb::Status GetCurrentTime(std::int64_t* unix_time) override {
        return env_.GetCurrentTime(unix_time);
    }
    std::string TimeToString(std::uint64_t time) override { return env_.TimeToString(time); }

  private:
    rocksdb::Env& env_;
};

}  // namespace

std::unique_ptr<rocksdb::Env> spliced_env(rocksdb::Env& env,
                                          const std::shared_ptr<rocksdb::FileSystem>& files) {
    return std::make_unique<SplicedEnv>(env, files);
}

}  // namespace bos::eventstore
