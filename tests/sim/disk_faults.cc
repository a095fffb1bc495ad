#include "tests/sim/disk_faults.h"

#include <utility>

namespace bos::sim {

namespace {

using Operation = Disk::Operation;
using Verdict = Disk::Verdict;

bool belongs_to_log(const std::string& path) { return path.starts_with("/log"); }
bool is_sync(Operation operation) {
    return operation == Operation::sync || operation == Operation::sync_folder;
}
bool takes_space(Operation operation) {
    return operation == Operation::append || operation == Operation::create ||
           operation == Operation::write;
}

}  // namespace

DiskFaults::DiskFaults(Machine& machine, std::shared_ptr<Disk> disk)
    : machine_(machine), disk_(std::move(disk)) {
    disk_->watch([this](Operation operation, const std::string& path, std::size_t bytes) {
        return before(operation, path, bytes);
    });
}

DiskFaults::~DiskFaults() { disk_->watch({}); }

void DiskFaults::heal() {
    crash_in_ = sync_in_ = 0;
    full_ = false;
}

void DiskFaults::crash(const std::string& why, End end) {
    if (crashed()) return;
    machine_.trace.fault(why, "{}", end == End::power_loss ? "power loss" : "kill");
    left_ = end == End::power_loss ? disk_->after_power_loss(machine_.draws) : disk_->after_kill();
}

Verdict DiskFaults::before(Operation operation, const std::string& path, std::size_t bytes) {
    if (crashed()) return Verdict::ok;
    machine_.trace.note("disk {} {} {}", name_of(operation), path, bytes);
    if (crash_in_ > 0 && --crash_in_ == 0) {
        crash("crash-at-op", machine_.draws.one_in(4) ? End::kill : End::power_loss);
        return Verdict::ok;
    }
    if (!belongs_to_log(path)) return Verdict::ok;
    if (is_sync(operation) && sync_in_ > 0 && --sync_in_ == 0) {
        machine_.trace.fault("failed-sync", "{}", path);
        return Verdict::io_error;
    }
    if (full_ && takes_space(operation)) {
        machine_.trace.fault("no-space", "{}", path);
        return Verdict::no_space;
    }
    return Verdict::ok;
}

}  // namespace bos::sim
