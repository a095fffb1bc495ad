#include "bench/appenders.h"

#include "bench/must.h"

#include <algorithm>
#include <utility>

namespace bos::bench {

Appenders::Appenders(std::size_t writers) {
    for (std::size_t writer = 0; writer < writers; ++writer) chains_.emplace_back(writer);
}

Measured Appenders::run(double seconds, const Append& append) {
    const auto ahead = static_cast<std::size_t>(records_per_writer_second_ * seconds);
    for (RecordChain& chain : chains_) chain.prepare(ahead);
    Measured measured = loop_.run(chains_.size(), seconds, [&](std::size_t writer) {
        append(chains_[writer].next(), [this, writer](bool ok) { loop_.finished(writer, ok); });
        return true;
    });
    constexpr double room = 1.5;
    records_per_writer_second_ = room * static_cast<double>(measured.count) /
                                 static_cast<double>(chains_.size()) / std::max(seconds, 0.01);
    return measured;
}

LogAppenders::LogAppenders(const std::filesystem::path& parent, std::size_t writers)
    : folder_(parent), appenders_(writers) {
    eventstore::RocksLogOptions options;
    options.path = (folder_.path() / "log").string();
    log_ = must(eventstore::RocksLog::open(std::move(options)));
}

Measured LogAppenders::run(double seconds) {
    return appenders_.run(seconds, [this](std::string record, std::function<void(bool)> done) {
        log_->append(std::move(record),
                     [answer = std::move(done)](const Result<eventstore::Head>& head) {
                         answer(head.has_value());
                     });
    });
}

RawAppenders::RawAppenders(const std::filesystem::path& parent, std::size_t writers)
    : folder_(parent), appenders_(writers), log_(folder_.path() / "raw") {}

Measured RawAppenders::run(double seconds) {
    return appenders_.run(seconds, [this](std::string record, std::function<void(bool)> done) {
        log_.append(std::move(record), std::move(done));
    });
}

}  // namespace bos::bench
