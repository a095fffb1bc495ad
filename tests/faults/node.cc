#include "tests/faults/node.h"

#include "eventstore/rocks_log.h"
#include "projections/views.h"
#include "tests/sim/disk_env.h"

#include <fmt/format.h>

#include <utility>

namespace bos::faults {

namespace {

// Small, so that a few commands go through memtables, tables and parts of the index; and nothing is
// read from memory that can be read from the disk.
constexpr std::size_t cache_bytes = 1;
constexpr std::size_t log_memtable_bytes = 128 << 10;
constexpr std::size_t view_memtable_bytes = 64 << 10;
constexpr std::size_t index_entries = 8;
constexpr std::size_t pool_keys = 4;

}  // namespace

Node::Node(World& world)
    : world_(world),
      disk_(world.disk),
      draws_(world.seed),
      env_(sim::disk_env(*disk_, world.clock)) {}

Node::~Node() {
    if (log_) log_->stop();
    shard_.reset();
    steps_.clear();
}

Result<void> Node::open() {
    BOS_CHECK(open_keys());
    BOS_CHECK(open_log());
    BOS_CHECK(open_views());
    shard_ = std::make_unique<commands::Shard>(context_.get_executor(),
                                               commands::Surroundings{.log = *log_,
                                                                      .keys = *keys_,
                                                                      .sealer = *sealer_,
                                                                      .sink = *this,
                                                                      .clock = world_.clock,
                                                                      .random = world_.random});
    return {};
}

Result<void> Node::open_keys() {
    eventstore::RocksKeyStoreOptions options;
    options.path = "/keys";
    options.env = env_.get();
    options.pool_keys = pool_keys;
    options.master_key = world_.master_key;
    // RocksDB of Debian fails an assertion when a file whose append failed is synced: a process
    // that has ended does not, but here it only seems to have ended.
    options.keeper = false;
    options.fatal = [this](std::string_view) { end(); };
    BOS_TRY(keys_, eventstore::RocksKeyStore::open(std::move(options)));
    sealer_ = std::make_unique<eventstore::FieldSealer>(*keys_, world_.random);
    return {};
}

Result<void> Node::open_log() {
    eventstore::RocksLogOptions options;
    options.path = "/log";
    options.env = env_.get();
    options.cache_bytes = cache_bytes;
    options.memtable_bytes = log_memtable_bytes;
    options.bulk_entries = index_entries;
    options.before_write = [this] { return keys_->sync(); };
    options.fatal = [this](std::string_view) { end(); };
    options.post = [this](eventstore::Step step) { steps_.push_back(std::move(step)); };
    BOS_TRY(log_, eventstore::RocksLog::open(std::move(options)));
    return {};
}

Result<void> Node::open_views() {
    projections::ViewStoreOptions options;
    options.path = "/views";
    options.on_corruption = projections::OnCorruption::start_empty;
    options.env = env_.get();
    options.cache_bytes = cache_bytes;
    options.write_buffer_bytes = view_memtable_bytes;
    options.wal_bytes_max = view_memtable_bytes;
    options.file_bytes_min = 1;  // what is built goes to files
    options.fatal = [this](std::string_view) { end(); };
    BOS_TRY(views_, projections::ViewStore::open(options));
    runner_ = std::make_unique<projections::Runner>(
        *views_, projections::ViewSet(projections::Views{}), *sealer_);
    BOS_TRY(const std::vector<TenantId> tenants, log_->tenants());
    for (const TenantId& tenant : tenants) BOS_CHECK(open_tenant(tenant));
    return {};
}

Result<void> Node::open_tenant(const TenantId& tenant) {
    if (opened_.contains(tenant)) return {};
    BOS_CHECK(runner_->open(tenant, *log_));
    opened_.insert(tenant);
    return {};
}

void Node::ask(sim::Ledger::Number number) {
    const commands::Request& request = world_.ledger.asked()[number].request;
    if (!open_tenant(request.tenant)) return;  // 503, and no shard hears of it
    world_.ledger.sent(number);
    bool answered = false;
    shard_->submit(request, [&](const commands::Outcome& outcome) {
        answered = true;
        if (!ended()) world_.ledger.answered(number, outcome);
    });
    while (step()) {
    }
    if (!answered && !ended()) world_.ledger.violate("no answer to " + request.key);
}

/// False: there is nothing to do.
bool Node::step() {
    context_.restart();
    if (context_.poll() > 0) return true;
    if (steps_.empty()) return false;
    eventstore::Step oldest = std::move(steps_.front());
    steps_.pop_front();
    oldest();
    return true;
}

void Node::end() {
    const std::lock_guard lock(mutex_);
    if (!left_) left_ = disk_->after_power_loss(draws_);
}

bool Node::ended() const {
    const std::lock_guard lock(mutex_);
    return left_ != nullptr;
}

std::shared_ptr<sim::Disk> Node::left() const {
    const std::lock_guard lock(mutex_);
    return left_ ? left_ : std::shared_ptr<sim::Disk>(disk_->after_power_loss(draws_));
}

void Node::committed(const TenantId& tenant, std::vector<eventstore::Commit> commits,
                     Applied applied) {
    for (const eventstore::Commit& commit : commits) {
        if (!ended()) world_.ledger.durable(tenant, commit.position, commit.key);
    }
    stand_still_.reset();
    const auto kept = runner_->keep_up(tenant, commits, *log_);
    if (!kept) stand_still_ = kept.error();
    applied();
}

}  // namespace bos::faults
